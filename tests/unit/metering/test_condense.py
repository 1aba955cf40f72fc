"""Condensed days give what all their readings give: the same energies, qualities and words."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatwatt.contract.devices import Device
from seatwatt.contract.intervals import IntervalGrid, local_midnight_ms
from seatwatt.contract.site import Node, SeatMeters, Site, Zone
from seatwatt.metering import MeterEnergy, MeterRules, RegisterColumn, Registers, site_energy
from seatwatt.metering.condense import AROUND, condensed
from tests.unit.metering.days import DAY, HOUR_MS, MIDNIGHT_MS, ZONE

DAYS = [local_midnight_ms(DAY + timedelta(days=n), ZONE) for n in range(5)]
"""Midnights of four days; the middle two are the period."""
PERIOD = IntervalGrid.between(DAYS[1], DAYS[3], 1800, ZONE)
MAINS, BOARD = Device("meter", "plant", "grid"), Device("meter", "hall-a", "board")
SEAT, LIFT = Device("seat", "hall-a", "017"), Device("meter", "plant", "lift")
LENDING = {MAINS, BOARD}
MODULUS_WH = 40_000.0


def site_of(power_w: float | None, modulus_wh: float | None, multiplier: float) -> Site:
    given: dict[str, Any] = {"max_power_w": power_w, "register_modulus_wh": modulus_wh,
                             "multiplier": multiplier}
    return Site(id="here", name="Here", time_zone=ZONE, currency="PKR",
                zones=(Zone(name="hall-a", seats=("017",)), Zone(name="plant")),
                nodes=(Node(device=MAINS, source="grid", **given), Node(device=BOARD, **given),
                       Node(device=LIFT, **given)),
                seat_meters=SeatMeters(parent="{zone}/board", **given))


@st.composite
def registers(draw: st.DrawFn) -> RegisterColumn:
    """Four days of a register read each minute or so, with faults of every kind anywhere."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    every_s = draw(st.sampled_from([60, 61, 299, 1200, 5000]))
    times = np.arange(DAYS[0] + random.integers(every_s * 1000), DAYS[4], every_s * 1000)
    size = draw(st.sampled_from([0.0, 0.4, 45.0]))
    values = np.round(1000.0 + np.cumsum(random.random(len(times)) * size), draw(
        st.sampled_from([0, 1, 6])))
    for _ in range(draw(st.integers(0, 8))):
        times, values = _fault(draw, random, times, values)
    return RegisterColumn(times.astype(np.int64), np.maximum(values, 0).astype(np.float64))


def _fault(draw: st.DrawFn, random: np.random.Generator, times: np.ndarray, values: np.ndarray
           ) -> tuple[np.ndarray, np.ndarray]:
    if len(times) < 40:
        return times, values
    edges = np.searchsorted(times, DAYS[1:4])
    near = int(np.clip(draw(st.sampled_from(edges.tolist())) + draw(st.integers(-14, 14)),
                       0, len(times) - 1))
    place = draw(st.sampled_from([near, int(random.integers(len(times)))]))
    width = draw(st.integers(1, 12))
    size = draw(st.sampled_from([0.001, 1.0, 500.0, 1e6]))
    match draw(st.sampled_from(["spikes", "dips", "reset", "leap", "gap", "saw", "roll", "flat"])):
        case "spikes":
            values[place:place + width] += size
        case "dips":
            values[place:place + width] -= size
        case "reset":
            values[place:] -= values[place]
        case "leap":
            values[place:] += size
        case "gap":
            gone = (times > times[place]) & (times < times[place] + draw(
                st.sampled_from([400_000, HOUR_MS, 30 * HOUR_MS])))
            times, values = times[~gone], values[~gone]
        case "saw":
            values[place:place + width] += random.random(len(values[place:place + width])) * size
        case "roll":
            values = values % MODULUS_WH
        case _:
            values[place:] = values[place]
    return times, values


def by_days(device: Device, column: RegisterColumn, rules: MeterRules) -> RegisterColumn:
    if device in LENDING:
        return column
    parts = []
    for start_ms, end_ms in pairwise(DAYS):
        inside = (column.times_ms >= start_ms) & (column.times_ms < end_ms)
        boundaries = np.arange(start_ms, end_ms + 1, 1_800_000)
        parts.append(condensed(RegisterColumn(column.times_ms[inside], column.values_wh[inside]),
                               boundaries, rules))
    return RegisterColumn(np.concatenate([part.times_ms for part in parts]),
                          np.concatenate([part.values_wh for part in parts]))


def told(energy: MeterEnergy) -> object:
    return (energy.energy_milliwh.tolist(), energy.quality.tolist(), energy.opening,
            energy.closing, energy.findings)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_condensed_days_meter_as_all_readings_do(data: st.DataObject) -> None:
    power = data.draw(st.sampled_from([None, 2300.0]), "max power")
    modulus = data.draw(st.sampled_from([None, MODULUS_WH]), "modulus")
    multiplier = data.draw(st.sampled_from([1.0, 0.1, 40.0]), "multiplier")
    site = site_of(power, modulus, multiplier)
    rules = MeterRules(max_power_w=power, modulus_wh=modulus, multiplier=multiplier)
    names = {MAINS: "energy_import", BOARD: "energy_import", LIFT: "energy_import", SEAT: "energy"}
    raw: Registers = {(device, name): data.draw(registers(), str(device))
                      for device, name in names.items()}
    kept: Registers = {(device, name): by_days(device, column, rules)
                       for (device, name), column in raw.items()}
    expected, found = site_energy(site, PERIOD, raw), site_energy(site, PERIOD, kept)
    assert {device: told(energy) for device, energy in found.items()} == \
        {device: told(energy) for device, energy in expected.items()}


def a_day(count: int = 1440, step_wh: float = 1.0) -> RegisterColumn:
    times = MIDNIGHT_MS + np.arange(count, dtype=np.int64) * 60_000
    return RegisterColumn(times, 10_000 + np.arange(count, dtype=np.float64) * step_wh)


BOUNDARIES = MIDNIGHT_MS + np.arange(49, dtype=np.int64) * 1_800_000


def test_a_calm_day_keeps_the_two_readings_at_each_boundary_and_its_ends() -> None:
    kept = condensed(a_day(), BOUNDARIES, MeterRules(max_power_w=2300))
    assert len(kept) == 2 * AROUND + 2 * 47
    assert set(BOUNDARIES[:-1].tolist()) <= set(kept.times_ms.tolist())


def test_few_readings_and_readings_that_are_no_register_are_all_kept() -> None:
    rules = MeterRules()
    assert len(condensed(a_day(2 * AROUND), BOUNDARIES, rules)) == 2 * AROUND
    assert len(condensed(a_day(0), BOUNDARIES, rules)) == 0
    odd = a_day()
    odd.values_wh[700] = -1.0
    assert len(condensed(odd, BOUNDARIES, rules)) == 1440


def test_a_reset_keeps_what_lies_around_it() -> None:
    column = a_day()
    column.values_wh[700:] -= 5000
    kept = condensed(column, BOUNDARIES, MeterRules())
    assert set(column.times_ms[700 - AROUND:700 + AROUND].tolist()) <= set(kept.times_ms.tolist())


@pytest.mark.parametrize(("step_wh", "all_of_them"), [(45.0, True), (20.0, False)])
def test_steps_plausible_only_by_their_grace_are_not_put_together(step_wh: float,
                                                                  all_of_them: bool) -> None:
    # 2,300 W are 42.2 Wh a minute with a tenth on top; each step has 10 Wh of grace beside.
    kept = condensed(a_day(step_wh=step_wh), BOUNDARIES, MeterRules(max_power_w=2300))
    assert (len(kept) == 1440) is all_of_them


def test_a_day_of_25_hours_is_condensed_like_another() -> None:
    column = a_day(1500)
    boundaries = MIDNIGHT_MS + np.arange(51, dtype=np.int64) * 1_800_000
    assert len(condensed(column, boundaries, MeterRules())) == 2 * AROUND + 2 * 49
