"""Registers of real buildings: the right energy, and the right finding."""

import csv
import gzip
from collections import Counter
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from seatwatt.contract.devices import Device
from seatwatt.contract.intervals import IntervalGrid, local_midnight_ms
from seatwatt.contract.site import Acceptance, Exchange, Node, Site, Zone
from seatwatt.metering import (
    MeterEnergy,
    MeterRules,
    Quality,
    RegisterColumn,
    meter_energy,
    site_energy,
)
from tests.shared import shared

KOLKATA = ZoneInfo("Asia/Kolkata")
UTC = ZoneInfo("UTC")
HOUR_MS = 3_600_000
HOME = Device("meter", "home", "main")


def column(path: str, scale: int) -> RegisterColumn:
    with gzip.open(shared(path), "rt") as lines:
        rows = [(int(float(at) * scale), float(value)) for at, value in csv.reader(lines)]
    return RegisterColumn(np.array([at for at, _ in rows], np.int64),
                          np.array([value for _, value in rows]))


def combed(meter: str) -> RegisterColumn:
    return column(f"data/combed/{meter}_energy.csv.gz", 1)


def toon(register: str) -> RegisterColumn:
    return column(f"data/registers-toon/{register}_CurrentElectricityQuantity_5yrhours.csv.gz",
                  1000)


def period(start: date, end: date, zone: ZoneInfo, interval_s: int = 1800) -> IntervalGrid:
    return IntervalGrid.between(local_midnight_ms(start, zone), local_midnight_ms(end, zone),
                                interval_s, zone)


JUNE = period(date(2014, 6, 3), date(2014, 7, 1), KOLKATA)


def block(meter: str) -> Device:
    return Device("meter", "block", meter)


def june(meter: str, grid: IntervalGrid = JUNE) -> MeterEnergy:
    return meter_energy(block(meter), combed(meter), grid, MeterRules())


@pytest.mark.parametrize(("meter", "kwh"), [
    ("mains", 18_134.232), ("floor1", 4_355.687), ("floor2", 4_236.959), ("floor3", 1_736.003),
    ("floor4", 1_535.932), ("floor5", 4_021.955), ("lifts", 446.111), ("ahu0", 766.123)])
def test_june_of_a_building(meter: str, kwh: float) -> None:
    energy = june(meter)
    assert round(int(energy.energy_milliwh.sum()) / 1e6, 3) == kwh
    assert energy.quality.tolist() == [Quality.MEASURED] * 28 * 48
    assert energy.findings == ()


def test_mains_over_utc_days() -> None:
    energy = june("mains", period(date(2014, 6, 3), date(2014, 6, 30), UTC))
    assert round(int(energy.energy_milliwh.sum()) / 1e6, 3) == 17_437.647


def test_a_reset_under_load_loses_nothing_but_its_own_step() -> None:
    readings = combed("sockets3")
    inside = (readings.times_ms >= JUNE.start_ms) & (readings.times_ms <= JUNE.end_ms)
    steps = np.diff(readings.values_wh[inside])
    energy = june("sockets3")
    # True use is the sum of the positive steps; the first reading after the reset adds 0.316 Wh,
    # and the ends of the period lie up to 30 s (1 Wh) from a reading.
    true_wh = steps[steps > 0].sum() + 0.316
    assert abs(int(energy.energy_milliwh.sum()) / 1000 - true_wh) < 2
    assert [(f.rule.name, f.blocks, f.detail) for f in energy.findings] == [
        ("R06", False, "register fell from 2058550.125 Wh to 0.316 Wh from 2014-06-04T02:46:12Z "
         "to 2014-06-04T02:46:42Z: 0.316 Wh counted")]


def test_the_same_reset_declared_as_an_exchange_has_no_finding() -> None:
    # Half way between the two readings the old register is declared, the new one at 0.
    exchange = Exchange(meter=block("sockets3"), at_ms=1_401_849_987_000, final_wh=2_058_550.5,
                        initial_wh=0.0)
    energy = meter_energy(block("sockets3"), combed("sockets3"), JUNE, MeterRules(), [exchange])
    assert energy.findings == ()
    assert int(energy.energy_milliwh.sum()) - int(june("sockets3").energy_milliwh.sum()) == 375


def test_submeters_that_read_more_than_their_parent_are_metered_as_they_read() -> None:
    # Which of them is wrong is for the balance (B01) to ask; metering takes nobody's side.
    names = ("mains", "floor3", "light3", "ups_sockets3")
    devices = {name: block(name.replace("_", "-")) for name in names}
    site = Site(id="block", name="Block", time_zone=KOLKATA, currency="INR",
                zones=(Zone(name="block"),),
                nodes=(Node(device=devices["mains"], source="grid"),
                       Node(device=devices["floor3"]),
                       Node(device=devices["light3"], parent=devices["floor3"]),
                       Node(device=devices["ups_sockets3"], parent=devices["floor3"])))
    energies = site_energy(site, JUNE, {(devices[name], "energy_import"): combed(name)
                                        for name in names})
    kwh = {name: round(int(energies[device].energy_milliwh.sum()) / 1e6, 3)
           for name, device in devices.items()}
    assert kwh == {"mains": 18_134.232, "floor3": 1_736.003, "light3": 1_460.042,
                   "ups_sockets3": 1_262.356}
    assert all(energy.findings == () for energy in energies.values())


FIVE_YEARS = period(date(2018, 9, 1), date(2023, 4, 2), UTC, 3600)
HOURLY = MeterRules(max_power_w=4_000, max_gap_ms=HOUR_MS)
LAST_BEFORE_WH, EXCHANGED_MS = 4_424_261.0, 1_578_643_200_000
"""The old solar register's last reading, the evening before; when the new one was first read."""


def test_a_solar_register_exchanged_after_a_gap_is_taken_for_a_reset() -> None:
    energy = meter_energy(HOME, toon("elec_solar_quantity"), FIVE_YEARS, HOURLY)
    assert Counter(f.rule.name for f in energy.findings) == {"R03": 11, "R06": 1, "R08": 23}
    reset = next(f for f in energy.findings if f.rule.name == "R06")
    assert reset.to_ms == EXCHANGED_MS
    assert reset.detail.startswith("register fell from 4424261.000 Wh to 1.000 Wh")
    opening, closing = energy.opening, energy.closing
    assert opening is not None
    assert closing is not None
    # All of the old register from the period's start, all of the new one: by hand.
    assert int(energy.energy_milliwh.sum()) == (
        int(LAST_BEFORE_WH * 1000) - opening.register_milliwh + closing.register_milliwh)


def test_the_declared_exchange_counts_what_the_old_register_had_left() -> None:
    exchange = Exchange(meter=HOME, at_ms=EXCHANGED_MS - HOUR_MS, final_wh=LAST_BEFORE_WH + 500,
                        initial_wh=0.0)
    plain, declared = (meter_energy(HOME, toon("elec_solar_quantity"), FIVE_YEARS, HOURLY, known)
                       for known in ([], [exchange]))
    assert "R06" not in {f.rule.name for f in declared.findings}
    assert int(declared.energy_milliwh.sum() - plain.energy_milliwh.sum()) == 500_000


@pytest.mark.parametrize(("register", "leap_wh"), [
    ("elec_quantity_nt_orig", 114_327), ("elec_quantity_lt", 122_890)])
def test_a_leap_of_115_kwh_in_an_hour_blocks_until_it_is_accepted(register: str, leap_wh: int
                                                                  ) -> None:
    grid = period(date(2018, 4, 3), date(2018, 7, 1), UTC, 3600)
    rules = MeterRules(max_power_w=20_000, max_gap_ms=HOUR_MS)
    leap_ms = 1_527_796_800_000  # 2018-05-31T20:00:00Z
    energy = meter_energy(HOME, toon(register), grid, rules)
    leaps = [f for f in energy.findings if f.rule.name == "R07"]
    assert [(f.from_ms, f.to_ms, f.blocks) for f in leaps] == [(leap_ms - HOUR_MS, leap_ms, True)]
    word = Acceptance(meter=HOME, at_ms=leap_ms, reason="readings lost, caught up")
    accepted = meter_energy(HOME, toon(register), grid, rules, (), [word])
    assert int(accepted.energy_milliwh.sum() - energy.energy_milliwh.sum()) == leap_wh * 1000
    assert not any(f.blocks for f in accepted.findings)


def test_backward_steps_of_a_net_register_never_count_backwards() -> None:
    grid = period(date(2018, 4, 3), date(2023, 4, 2), UTC, 3600)
    rules = MeterRules(max_power_w=20_000, max_gap_ms=HOUR_MS)
    energy = meter_energy(HOME, toon("elec_quantity_lt"), grid, rules)
    assert energy.energy_milliwh.min() == 0
    falls = [f for f in energy.findings if f.rule.name == "R06"]
    assert falls[0].detail == (
        "register fell from 3149901.000 Wh to 3073114.000 Wh from 2018-08-14T16:00:00Z to "
        "2018-08-14T17:00:00Z: 0.000 Wh counted")
    assert len(falls) == 56
