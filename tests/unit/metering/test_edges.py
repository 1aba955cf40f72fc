"""Ends of the series, gaps that reach out of the period, registers that fall: by hand."""

import doctest
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from seatwatt.contract.errors import InputError
from seatwatt.contract.intervals import IntervalGrid, local_midnight_ms
from seatwatt.contract.site import Exchange
from seatwatt.metering import (
    MeterRules,
    Quality,
    RegisterAt,
    Shape,
    curve_energy,
    register_curve,
    texts,
)
from tests.unit.metering.days import (
    GRID,
    HOUR_MS,
    METER,
    QUARTER_MS,
    RULES,
    Readings,
    at,
    column,
    day,
    energy_of,
    rules_of,
    shape_of,
    total,
    when,
    without,
)


def test_texts_read_as_their_examples() -> None:
    assert doctest.testmod(texts).failed == 0
    assert texts.span_text(900_000) == "15 min"


def test_no_reading_before_the_period_starts() -> None:
    energy = energy_of({t: v for t, v in day().items() if t >= at("01:15")})
    # 01:15 lies inside 01:00 to 01:30, whose start is not bracketed: missing too.
    assert when(energy, Quality.MISSING) == ["00:00", "00:30", "01:00"]
    assert energy.energy_milliwh[:4].tolist() == [0, 0, 0, 200_000]
    assert energy.opening is None
    assert [(f.rule.name, f.from_ms, f.to_ms, f.blocks, f.detail) for f in energy.findings] == [
        ("R01", at("00:00"), at("01:30"), True, "first reading at 2026-10-06T20:15:00Z")]


def test_no_reading_after_the_period_ends() -> None:
    energy = energy_of({t: v for t, v in day().items() if t <= at("22:15")})
    assert when(energy, Quality.MISSING) == ["22:00", "22:30", "23:00", "23:30"]
    assert energy.closing is None
    assert [(f.rule.name, f.from_ms, f.to_ms, f.blocks, f.detail) for f in energy.findings] == [
        ("R02", at("22:00"), at("24:00"), True, "last reading at 2026-10-07T17:15:00Z")]


def test_a_reading_on_the_boundary_brackets_it() -> None:
    energy = energy_of({t: v for t, v in day().items() if at("01:00") <= t <= at("23:00")})
    assert when(energy, Quality.MISSING) == ["00:00", "00:30", "23:00", "23:30"]
    assert rules_of(energy) == ["R01", "R02"]


@pytest.mark.parametrize(("readings", "rule", "detail"), [
    ({}, "R01", "no reading at all"),
    ({at("10:05"): 1.0, at("10:06"): 2.0}, "R01",
     "readings only from 2026-10-07T05:05:00Z to 2026-10-07T05:06:00Z"),
    ({at("25:05"): 1.0}, "R01", "readings only from 2026-10-07T20:05:00Z to 2026-10-07T20:05:00Z"),
    ({at("00:00") - HOUR_MS: 1.0}, "R02",
     "readings only from 2026-10-06T18:00:00Z to 2026-10-06T18:00:00Z"),
])
def test_a_period_without_any_energy_is_missing_not_zero(readings: Readings, rule: str, detail: str
                                                         ) -> None:
    energy = energy_of(readings)
    assert total(energy) == 0
    assert set(energy.quality.tolist()) == {Quality.MISSING}
    assert [(f.rule.name, f.blocks, f.detail) for f in energy.findings] == [(rule, True, detail)]
    assert (energy.opening, energy.closing) == (None, None)


def test_a_gap_out_of_the_period_is_cut_the_same_in_both_periods() -> None:
    # 10 mWh from 22:00 to 02:00: 8 half hours, five of the ten in the first days' four parts.
    readings = {at("22:00"): 0.0, at("26:00"): 0.010, at("00:00"): 0.0, at("48:00"): 0.010}
    curve = register_curve(METER, column(readings), MeterRules(max_gap_ms=HOUR_MS))
    days = [curve_energy(METER, curve, IntervalGrid.between(start, start + 24 * HOUR_MS, 1800,
                                                            GRID.zone))
            for start in (at("00:00"), at("24:00"))]
    assert [part.energy_milliwh[-4:].tolist() for part in days[:1]] == [[2, 2, 1, 1]]
    assert days[1].energy_milliwh[:4].tolist() == [1, 1, 1, 1]
    assert days[0].closing == days[1].opening == RegisterAt(at("24:00"), 6, Quality.ESTIMATED)


def test_a_gap_across_the_night_the_clocks_go_back() -> None:
    # Amsterdam, 25 October 2026: the day lasts 25 hours, the gap all of it: 100 Wh an hour.
    zone = ZoneInfo("Europe/Amsterdam")
    start, end = (local_midnight_ms(date(2026, 10, d), zone) for d in (25, 26))
    grid = IntervalGrid.between(start, end, 3600, zone)
    energy = energy_of({start - HOUR_MS: 0.0, end + HOUR_MS: 2700.0}, grid=grid)
    assert energy.energy_milliwh.tolist() == [100_000] * 25


def test_a_gap_with_a_parent_that_stood_still_is_spread_evenly() -> None:
    still = dict.fromkeys(day(), 5.0)
    shape = shape_of(still)
    energy = energy_of(without(day(), "09:00", "15:00"), shape=shape)
    assert energy.energy_milliwh[18:30].tolist() == [200_000] * 12
    assert energy.findings[0].detail.endswith("spread evenly")


def test_a_gap_gives_nothing_to_the_time_in_which_the_parent_fed_in() -> None:
    # The parent imports 100 Wh a quarter until noon, then exports as much.
    imported = {t: min(v, 24_800.0) for t, v in day().items()}
    exported = {t: max(v - 24_800.0, 0.0) for t, v in day().items()}
    shape = Shape("supply", tuple((sign, register_curve(METER, column(readings), RULES))
                                  for sign, readings in ((1, imported), (-1, exported))))
    energy = energy_of(without(day(), "09:00", "15:00"), shape=shape)
    assert energy.energy_milliwh[18:30].tolist() == [400_000] * 6 + [0] * 6


@pytest.mark.parametrize("spoilt", [
    without(day(), "10:00", "11:00"),
    {t: v if t < at("12:00") else v - 24_800 for t, v in day().items()},
    {t: v for t, v in day().items() if t <= at("14:45")},
    {at("10:00"): 1.0},
    {},
], ids=["has a gap", "was reset", "ends too soon", "one reading", "none"])
def test_a_parent_that_is_not_measured_throughout_lends_no_shape(spoilt: Readings) -> None:
    shape = shape_of(spoilt)
    energy = energy_of(without(day(), "09:00", "15:00"), shape=shape)
    assert energy.energy_milliwh[18:30].tolist() == [200_000] * 12


def test_a_shape_of_nothing_lends_nothing() -> None:
    energy = energy_of(without(day(), "09:00", "15:00"), shape=Shape("supply", ()))
    assert energy.energy_milliwh[18:30].tolist() == [200_000] * 12


def test_registers_at_the_ends_of_a_period_that_cut_a_step() -> None:
    # Readings ten minutes past each quarter, so midnight lies a third of a step (33.333 Wh) on.
    readings = {t - 300_000: v for t, v in day(step_wh=100.0).items()} | {at("24:10"): 29_700.0}
    energy = energy_of(readings)
    assert energy.opening == RegisterAt(at("00:00"), 20_033_333, Quality.MEASURED)
    assert energy.closing == RegisterAt(at("24:00"), 29_633_333, Quality.MEASURED)
    assert total(energy) == 9_600_000


HALF_MS = QUARTER_MS // 2


@pytest.mark.parametrize(("before_wh", "after_wh", "shown_milliwh"), [
    (99.0, 30.0, 14_500),  # 31 Wh, so 15.5 Wh before the end: 14.5 Wh, rolled over already
    (90.0, 5.0, 97_500),  # 15 Wh, so 7.5 Wh after the start: 97.5 Wh, not yet
])
def test_a_period_that_opens_within_a_rollover(before_wh: float, after_wh: float,
                                               shown_milliwh: int) -> None:
    readings = {t + HALF_MS: after_wh for t in day()} | {at("00:00") - HALF_MS: before_wh}
    energy = energy_of(readings, MeterRules(max_power_w=100, modulus_wh=100))
    assert rules_of(energy) == ["R05"]
    assert energy.opening == RegisterAt(at("00:00"), shown_milliwh, Quality.MEASURED)


@pytest.mark.parametrize(("after_wh", "counted", "shown_milliwh"), [
    (10.0, 5_000, 5_000),
    (9_000.0, 0, 9_000_000),  # 36 kW is not plausible, so 0 is counted
])
def test_a_period_that_closes_within_a_reset(after_wh: float, counted: int, shown_milliwh: int
                                             ) -> None:
    readings = {t - HALF_MS: 20_000.0 for t in day()} | {at("24:00") + HALF_MS: after_wh}
    energy = energy_of(readings)
    assert rules_of(energy) == ["R06"]
    assert energy.closing == RegisterAt(at("24:00"), shown_milliwh, Quality.ESTIMATED)
    assert total(energy) == counted


def test_a_period_opens_with_the_new_meter_and_closes_with_the_old_one() -> None:
    exchanges = [Exchange(meter=METER, at_ms=at(clock), final_wh=final, initial_wh=initial)
                 for clock, final, initial in (("00:00", 777.0, 20_000.0),
                                               ("24:00", 29_600.0, 5.0))]
    readings = {t: v for t, v in day().items() if t < at("24:00")}
    energy = energy_of(readings, RULES, *exchanges)
    assert energy.opening == RegisterAt(at("00:00"), 20_000_000, Quality.MEASURED)
    assert energy.closing == RegisterAt(at("24:00"), 29_600_000, Quality.MEASURED)
    assert total(energy) == 9_600_000
    assert energy.findings == ()


def test_findings_beside_the_period_are_told_and_block_nothing() -> None:
    readings = {t: v if t > at("00:00") - HOUR_MS else v - 15_000
                for t, v in ((at("00:00") + i * QUARTER_MS, 20_000.0 + 100 * i)
                             for i in range(-40, 97))}
    readings[at("00:00") - 10 * QUARTER_MS] = 0.0
    energy = energy_of(readings)
    # The leap an hour before the period; the dip of 21:30 is too long ago.
    assert [(f.rule.name, f.blocks) for f in energy.findings] == [("R07", False)]


def test_energy_of_forty_days_of_a_power_station_does_not_overflow() -> None:
    readings = {at("00:00") - 20 * 24 * HOUR_MS: 0.0, at("00:00") + 20 * 24 * HOUR_MS: 9e12}
    energy = energy_of(readings, MeterRules(max_gap_ms=10**10))
    # 9e15 mWh over 1920 half hours.
    assert energy.energy_milliwh.tolist() == [4_687_500_000_000] * 48
    assert energy.energy_milliwh.dtype == np.int64


def test_resets_beyond_what_can_be_counted_are_refused() -> None:
    readings = {at("00:00") + i * 60_000: 9e12 - i for i in range(1_500)}
    with pytest.raises(InputError, match=r"^meter/hall-a/board: its resets add up to more energy"):
        energy_of(readings, MeterRules())
    assert total(energy_of(readings | {at("24:00"): 9e12},
                           MeterRules(max_power_w=100))) == 0
