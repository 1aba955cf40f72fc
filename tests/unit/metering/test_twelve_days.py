"""Twelve days that break other systems, and some more; the numbers are worked out by hand.

400 W for a day are 9,600 Wh: 200 Wh in each of 48 half hours.
"""

import random

import numpy as np
import pytest

from seatwatt.contract.site import Acceptance, Exchange
from seatwatt.metering import (
    MeterRules,
    Quality,
    RegisterColumn,
    meter_energy,
    register_curve,
)
from tests.unit.metering.days import (
    GRID,
    METER,
    QUARTER_MS,
    RULES,
    SEAT,
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

HALF_HOURS = [200_000] * 48


def noon(final_wh: float, initial_wh: float) -> Exchange:
    return Exchange(meter=METER, at_ms=at("12:00"), final_wh=final_wh, initial_wh=initial_wh)


def after_noon(readings: Readings, new_wh: float) -> Readings:
    """From 12:00 on a new meter that read `new_wh` at noon."""
    old_wh = readings[at("12:00")]
    return {t: v if t < at("12:00") else v - old_wh + new_wh for t, v in readings.items()}


def test_clean_day() -> None:
    energy = energy_of(day())
    assert energy.energy_milliwh.tolist() == HALF_HOURS
    assert when(energy, Quality.MEASURED) == [f"{i // 2:02d}:{i % 2 * 30:02d}" for i in range(48)]
    assert energy.findings == ()
    assert energy.opening is not None
    assert energy.closing is not None
    assert (energy.opening.register_milliwh, energy.closing.register_milliwh) == (
        20_000_000, 29_600_000)


def test_six_hour_gap_with_readings_lost() -> None:
    energy = energy_of(without(day(), "09:00", "15:00"))
    assert energy.energy_milliwh.tolist() == HALF_HOURS
    assert when(energy, Quality.ESTIMATED) == [
        "09:00", "09:30", "10:00", "10:30", "11:00", "11:30",
        "12:00", "12:30", "13:00", "13:30", "14:00", "14:30"]
    assert rules_of(energy) == ["R08"]
    finding = energy.findings[0]
    assert (finding.from_ms, finding.to_ms, finding.blocks) == (at("09:00"), at("15:00"), False)
    assert finding.detail == (
        "6 h 0 min without a reading from 2026-10-07T04:00:00Z to 2026-10-07T10:00:00Z: "
        "2400.000 Wh spread evenly")


def test_six_hour_gap_delivered_late_in_one_burst() -> None:
    readings = day()
    lost = without(readings, "09:00", "15:00")
    late = [(t, v) for t, v in readings.items() if t not in lost]
    energy = meter_energy(METER, column([*lost.items(), *late]), GRID, RULES)
    assert energy.energy_milliwh.tolist() == HALF_HOURS
    assert energy.findings == ()


def test_six_hour_gap_of_a_plug_near_20_kwh() -> None:
    readings = without(day(19_000.0, 12.5), "09:00", "15:00")
    energy = meter_energy(SEAT, column(readings), GRID, MeterRules(max_power_w=2300))
    assert energy.energy_milliwh.tolist() == [25_000] * 48
    assert rules_of(energy) == ["R08"]


def test_register_rolls_over() -> None:
    readings = {t: v % 25_000 for t, v in day().items()}
    energy = energy_of(readings, MeterRules(max_power_w=20_000, modulus_wh=25_000))
    assert energy.energy_milliwh.tolist() == HALF_HOURS
    assert when(energy, Quality.MEASURED) == when(energy_of(day()), Quality.MEASURED)
    assert [(f.rule.name, f.blocks, f.detail) for f in energy.findings] == [
        ("R05", False, "register rolled over from 24900.000 Wh to 0.000 Wh from "
         "2026-10-07T07:15:00Z to 2026-10-07T07:30:00Z: 100.000 Wh counted")]


@pytest.mark.parametrize("new_wh", [0.0, 30_000.0, 23_560.0], ids=["at-0", "higher", "5%-lower"])
def test_meter_exchanged_at_noon(new_wh: float) -> None:
    readings = after_noon(day(), new_wh)
    energy = energy_of(readings, RULES, noon(24_800.0, new_wh))
    assert energy.energy_milliwh.tolist() == HALF_HOURS
    assert energy.findings == ()
    assert energy.closing is not None
    assert energy.closing.register_milliwh == round(new_wh * 1000) + 4_800_000


def test_exchange_between_two_readings_splits_the_energy_of_the_step() -> None:
    # At 12:05 the old meter read 24,833 Wh, the new one 7 Wh; at 12:15 it reads 74 Wh.
    readings = {t: v if t < at("12:05") else v - 24_900 + 74 for t, v in day().items()}
    energy = energy_of(readings, RULES, Exchange(
        meter=METER, at_ms=at("12:05"), final_wh=24_833.0, initial_wh=7.0))
    assert total(energy) == 9_600_000
    assert energy.energy_milliwh.tolist() == HALF_HOURS
    assert energy.findings == ()


@pytest.mark.parametrize(("final_wh", "initial_wh", "detail"), [
    (2_480.0, 0.0, "register fell from 24700.000 Wh to 2480.000 Wh from 2026-10-07T06:45:00Z to "
     "2026-10-07T07:00:00Z: 0.000 Wh counted; correct what is declared of the exchange"),
    (24_800.0, 500.0, "register fell from 500.000 Wh to 100.000 Wh from 2026-10-07T07:00:00Z to "
     "2026-10-07T07:15:00Z: 0.000 Wh counted; correct what is declared of the exchange"),
], ids=["final", "initial"])
def test_an_exchange_that_contradicts_the_readings_blocks(final_wh: float, initial_wh: float,
                                                          detail: str) -> None:
    # A figure mistyped: the register really stood at 24,800 Wh, the new one at 0.
    readings = after_noon(day(), 0.0)
    del readings[at("12:00")]
    energy = energy_of(readings, MeterRules(), noon(final_wh, initial_wh))
    assert [(f.rule.name, f.blocks, f.detail) for f in energy.findings] == [("R07", True, detail)]
    assert total(energy) == 9_500_000


@pytest.mark.parametrize(("final_wh", "counted"), [(12_480.0, 9_500_000), (19_999.9, 4_800_000)],
                         ids=["mistyped", "rounded"])
def test_where_power_is_bounded_a_declared_register_below_the_readings_is_a_reset_of_nothing(
        final_wh: float, counted: int) -> None:
    readings = after_noon(day(), 0.0)
    del readings[at("12:00")]
    if counted == 4_800_000:    # idle all morning, on a display that rounds up
        readings = {t: 20_000.0 if t < at("12:00") else v for t, v in readings.items()}
    energy = energy_of(readings, RULES, noon(final_wh, 0.0))
    assert rules_of(energy) == ["R06"]
    assert not energy.findings[0].blocks
    assert total(energy) == counted


@pytest.mark.parametrize(("wrong", "rule"), [(10.0, "R03"), (0.0, "R04")], ids=["spike", "zero"])
def test_one_wrong_reading_then_normal(wrong: float, rule: str) -> None:
    readings = day()
    readings[at("10:15")] *= wrong
    energy = energy_of(readings)
    assert energy.energy_milliwh.tolist() == HALF_HOURS
    assert rules_of(energy) == [rule]
    assert (energy.findings[0].from_ms, energy.findings[0].to_ms) == (at("10:15"), at("10:15"))
    assert when(energy, Quality.ESTIMATED) == []


def test_a_dropped_reading_on_a_boundary_leaves_the_boundary_estimated() -> None:
    readings = day()
    readings[at("10:00")] = 0.0
    energy = energy_of(readings)
    assert energy.energy_milliwh.tolist() == HALF_HOURS
    assert rules_of(energy) == ["R08", "R04"]
    assert when(energy, Quality.ESTIMATED) == ["09:30", "10:00"]


def test_whole_day_delivered_twice() -> None:
    twice = [*day().items(), *day().items()]
    energy = meter_energy(METER, column(twice), GRID, RULES)
    assert energy.energy_milliwh.tolist() == HALF_HOURS
    assert energy.findings == ()


def test_large_incomer() -> None:
    energy = energy_of(day(5_000_000.0, 37_500.0), MeterRules(max_power_w=200_000))
    assert energy.energy_milliwh.tolist() == [75_000_000] * 48
    assert energy.findings == ()


def test_plug_resets_at_every_power_cut() -> None:
    # 50 W, 12.5 Wh a quarter. Cuts at 06:00, 12:00, 18:00 each set the register to 0; what was
    # used between the last reading and the cut (12.5 Wh) is lost each time.
    readings = {t: 12.5 * (i % 24) for i, t in enumerate(day())}
    energy = meter_energy(SEAT, column(readings), GRID, MeterRules(max_power_w=2300))
    assert total(energy) == 96 * 12_500 - 4 * 12_500
    assert rules_of(energy) == ["R06"] * 4
    # The boundaries are readings, so that every interval but for what was lost is known.
    assert when(energy, Quality.ESTIMATED) == []


def test_clock_set_back_an_hour() -> None:
    # From 12:00 to 13:00 the device stamps its readings an hour early, and so overwrites 11:00
    # to 12:00: the later received stand. Nothing is counted twice, and nothing lost.
    readings = day()
    early = [(t - 4 * QUARTER_MS, v) for t, v in readings.items() if at("12:00") < t < at("13:00")]
    kept = without(readings, "12:00", "13:00")
    pairs = [*kept.items(), *early]
    energy = meter_energy(METER, column(pairs), GRID, RULES)
    assert total(energy) == 9_600_000
    # 11:15, 11:30 and 11:45 now read 24,900 to 25,100, above the 24,800 of 12:00: spikes. The
    # gaps from 11:00 to 12:00 and from 12:00 to 13:00 touch.
    assert rules_of(energy) == ["R08", "R03", "R03", "R03"]
    assert energy.findings[0].detail.startswith("2 gaps, together 2 h 0 min without a reading")


def test_readings_shuffled() -> None:
    pairs = list(day().items())
    random.Random(7).shuffle(pairs)
    assert meter_energy(METER, column(pairs), GRID, RULES).energy_milliwh.tolist() == HALF_HOURS


def test_undeclared_exchange_for_a_higher_one_blocks() -> None:
    energy = energy_of(after_noon(day(), 90_000.0))
    assert rules_of(energy) == ["R07"]
    assert energy.findings[0].blocks
    assert energy.findings[0].detail == (
        "register leapt from 24700.000 Wh to 90000.000 Wh from 2026-10-07T06:45:00Z to "
        "2026-10-07T07:00:00Z: 0.000 Wh counted; declare the exchange or accept the reading")
    assert total(energy) == 9_500_000


def test_undeclared_exchange_for_a_lower_one_is_a_reset() -> None:
    energy = energy_of(after_noon(day(), 9_000.0))
    # 9,000 Wh in a quarter are 36 kW: no plausible energy since the reset, so 0 is counted.
    assert rules_of(energy) == ["R06"]
    assert total(energy) == 9_500_000


def test_an_accepted_leap_counts_and_blocks_nothing() -> None:
    readings = {t: v if t < at("12:00") else v + 50_000 for t, v in day().items()}
    word = Acceptance(meter=METER, at_ms=at("12:00"), reason="the pump test")
    energy = energy_of(readings, accepted=(word,))
    assert total(energy) == 59_600_000
    assert when(energy, Quality.ESTIMATED) == []
    assert [(f.rule.name, f.blocks) for f in energy.findings] == [("R07", False)]
    assert energy.findings[0].detail.endswith("50100.000 Wh counted; accepted by the operator")


def test_outage_inside_a_gap_gets_no_energy() -> None:
    # The seat's readings from 09:00 to 15:00 are lost: 2,400 Wh. Its parent stood still from
    # 10:00 to 12:00 and ran evenly else: 4 h of 6, so 300 Wh in each half hour that was fed.
    parent: Readings = {}
    register = 0.0
    for t in day():
        if not at("10:00") < t <= at("12:00"):
            register += 500.0
        parent[t] = register
    shape = shape_of(parent)
    energy = energy_of(without(day(), "09:00", "15:00"), shape=shape)
    assert energy.energy_milliwh[18:30].tolist() == [300_000] * 2 + [0] * 4 + [300_000] * 6
    assert total(energy) == 9_600_000
    assert energy.findings[0].detail.endswith(
        "2400.000 Wh spread in the shape of meter/hall-a/board")


def test_later_received_reading_of_the_same_time_stands() -> None:
    times = np.array([*day(), at("10:15")], np.int64)
    values = np.array([*day().values(), 24_120.0])
    received = np.append(np.full(97, 5_000), 6_000).astype(np.int64)
    for order in (slice(None), slice(None, None, -1)):
        energy = meter_energy(METER, RegisterColumn(times[order], values[order], received[order]),
                              GRID, RULES)
        # 10:15 reads 24,120 Wh, not 24,100: the half hours around it stay 200 Wh, for 10:15 is
        # no boundary; but the register itself was taken from the later one.
        assert total(energy) == 9_600_000
        curve = register_curve(METER, RegisterColumn(times[order], values[order],
                                                     received[order]), RULES)
        assert 24_120_000 in curve.registers_milliwh.tolist()
