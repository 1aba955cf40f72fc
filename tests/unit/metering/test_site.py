"""The whole tree: sources first, shapes handed down, registers matched with declarations."""

import numpy as np
import pytest

from seatwatt.contract.devices import Device
from seatwatt.contract.errors import InputError
from seatwatt.contract.site import Acceptance, Exchange, Node, SeatMeters, Site, Zone
from seatwatt.metering import Quality, RegisterColumn, Registers, site_energy
from tests.unit.metering.days import (
    GRID,
    METER,
    SEAT,
    ZONE,
    Readings,
    at,
    column,
    day,
    rules_of,
    stopped,
    total,
    when,
    without,
)

MAINS = Device("meter", "plant", "grid")
GENERATOR = Device("meter", "plant", "generator")
FLOOR = Device("meter", "floor", "board")


def site_of(*nodes: Node, seats: SeatMeters | None = None, exchanges: tuple[Exchange, ...] = (),
            acceptances: tuple[Acceptance, ...] = ()) -> Site:
    zones = (Zone(name="hall-a", seats=("016", "017")), Zone(name="plant"), Zone(name="floor"))
    return Site(id="here", name="Here", time_zone=ZONE, currency="PKR", zones=zones, nodes=nodes,
                seat_meters=seats, exchanges=exchanges, acceptances=acceptances)


def imports(**readings: Readings) -> Registers:
    devices = {"grid": MAINS, "generator": GENERATOR, "floor": FLOOR, "board": METER}
    return {(devices[name], "energy_import"): column(values) for name, values in readings.items()}


GRID_NODE = Node(device=MAINS, source="grid")
BOARD = Node(device=METER)


def test_every_metered_node_and_every_declared_seat_with_readings_is_there() -> None:
    site = site_of(BOARD, GRID_NODE, Node(device=FLOOR, metered=False), seats=SeatMeters())
    stranger = Device("seat", "hall-a", "099")
    registers = {**imports(grid=day()), (SEAT, "energy"): column(day()),
                 (stranger, "energy"): column(day()), (SEAT, "energy_import"): column({})}
    energies = site_energy(site, GRID, registers)
    assert set(energies) == {MAINS, METER, SEAT}
    # A metered node that was never read is missing, not zero.
    assert set(energies[METER].quality.tolist()) == {Quality.MISSING}
    assert rules_of(energies[METER]) == ["R01"]


def test_seats_count_only_where_seat_meters_are_declared() -> None:
    registers = {**imports(grid=day(), board=day()), (SEAT, "energy"): column(day())}
    assert set(site_energy(site_of(GRID_NODE, BOARD), GRID, registers)) == {MAINS, METER}


def test_a_seat_takes_the_shape_of_its_board() -> None:
    site = site_of(GRID_NODE, BOARD, seats=SeatMeters(parent="{zone}/board"))
    registers = {**imports(grid=day(), board=stopped(day(), "10:00", "12:00")),
                 (SEAT, "energy"): column(without(day(), "09:00", "15:00"))}
    seat = site_energy(site, GRID, registers)[SEAT]
    assert seat.energy_milliwh[18:30].tolist() == [300_000] * 2 + [0] * 4 + [300_000] * 6
    assert seat.findings[0].detail.endswith("spread in the shape of meter/hall-a/board")


@pytest.mark.parametrize("parent", [None, FLOOR])
def test_a_gap_takes_the_shape_of_the_sum_of_the_sources(parent: Device | None) -> None:
    """Directly below the supply, and below a node without a meter, which passes it on."""
    # The grid fails from 10:00 to 12:00; the generator gives the same from 11:00 to 12:00. So one
    # hour of the six has no supply: 2,400 Wh over 10 half hours.
    grid = stopped(day(), "10:00", "12:00")
    generator = stopped(stopped(day(), "00:00", "11:00"), "12:00", "24:00")
    site = site_of(GRID_NODE, Node(device=GENERATOR, source="generator"),
                   Node(device=FLOOR, metered=False), Node(device=METER, parent=parent))
    energies = site_energy(site, GRID, imports(
        grid=grid, generator=generator, board=without(day(), "09:00", "15:00")))
    assert energies[METER].energy_milliwh[18:30].tolist() == (
        [240_000] * 2 + [0] * 2 + [240_000] * 8)
    assert energies[METER].findings[0].detail.endswith("spread in the shape of supply")


def test_a_source_that_is_missing_leaves_no_shape_to_the_supply() -> None:
    site = site_of(GRID_NODE, Node(device=GENERATOR, source="generator"), BOARD)
    energies = site_energy(site, GRID, imports(
        grid=stopped(day(), "10:00", "12:00"), board=without(day(), "09:00", "15:00")))
    assert energies[METER].energy_milliwh[18:30].tolist() == [200_000] * 12
    assert rules_of(energies[GENERATOR]) == ["R01"]


def test_a_grid_counts_import_minus_export() -> None:
    # Fed in: 300 Wh a quarter from 12:00 to 14:00, so 600 Wh a half hour against 200 Wh drawn.
    fed_in = stopped(stopped(day(0.0, 300.0), "00:00", "12:00"), "14:00", "24:00")
    fed_in = without(fed_in, "20:00", "22:00")
    registers = {**imports(grid=without(day(), "04:00", "05:00")),
                 (MAINS, "energy_export"): column(fed_in)}
    energy = site_energy(site_of(GRID_NODE), GRID, registers)[MAINS]
    assert energy.energy_milliwh.tolist() == [200_000] * 24 + [-400_000] * 4 + [200_000] * 20
    assert when(energy, Quality.ESTIMATED) == ["04:00", "04:30", "20:00", "20:30", "21:00", "21:30"]
    assert [f.detail.split(":")[0] for f in energy.findings] == [
        "1 h 0 min without a reading from 2026-10-06T23", "export register"]
    assert energy.opening is not None
    assert energy.opening.register_milliwh == 20_000_000
    assert [total(part) for part in energy.parts] == [9_600_000, 2_400_000]


def test_where_the_export_is_missing_so_is_the_grid() -> None:
    fed_in = {t: v for t, v in day().items() if t <= at("23:00")}
    registers = {**imports(grid=day()), (MAINS, "energy_export"): column(fed_in)}
    energy = site_energy(site_of(GRID_NODE), GRID, registers)[MAINS]
    assert when(energy, Quality.MISSING) == ["23:00", "23:30"]
    assert energy.energy_milliwh[-3:].tolist() == [0, 0, 0]
    assert [(f.rule.name, f.blocks) for f in energy.findings] == [("R02", True)]


@pytest.mark.parametrize("source", ["generator", "grid"])
def test_only_a_grid_with_readings_of_it_has_an_export(source: str) -> None:
    exported = column(day()) if source == "generator" else RegisterColumn(
        np.empty(0, np.int64), np.empty(0))
    registers = {**imports(grid=day()), (MAINS, "energy_export"): exported}
    energy = site_energy(site_of(Node(device=MAINS, source=source)), GRID, registers)[MAINS]
    assert total(energy) == 9_600_000
    assert energy.parts == ()


def test_exchanges_and_acceptances_reach_their_own_register_alone() -> None:
    def exchange(meter: Device, quantity: str = "") -> Exchange:
        return Exchange(meter=meter, at_ms=at("12:00"), final_wh=24_800.0, initial_wh=0.0,
                        quantity=quantity)

    changed = {t: v if t < at("12:00") else v - 24_800 for t, v in day().items()}
    leapt = {t: v if t < at("12:00") else v + 50_000 for t, v in day().items()}
    site = site_of(Node(device=MAINS, source="grid", max_power_w=20_000),
                   Node(device=METER, max_power_w=20_000),
                   Node(device=FLOOR, max_power_w=20_000), seats=SeatMeters(),
                   exchanges=(exchange(MAINS, "energy_export"), exchange(METER), exchange(SEAT)),
                   acceptances=(Acceptance(meter=FLOOR, at_ms=at("12:00")),))
    energies = site_energy(site, GRID, {
        **imports(grid=day(), board=changed, floor=leapt),
        (MAINS, "energy_export"): column(changed), (SEAT, "energy"): column(changed)})
    assert {device: total(energy) for device, energy in energies.items()} == {
        MAINS: 0, METER: 9_600_000, FLOOR: 59_600_000, SEAT: 9_600_000}
    assert [(d, rules_of(e)) for d, e in energies.items() if e.findings] == [(FLOOR, ["R07"])]


def test_a_multiplier_counts_readings_modulus_and_exchanges() -> None:
    # Behind a current transformer of 40: 100 Wh are 4 kWh. The register rolls over at 25,000 Wh,
    # at 12:30, and its meter is exchanged at 18:00, at 2,200 Wh.
    readings = {t: v % 25_000 if t < at("18:00") else v - 27_200 for t, v in day().items()}
    site = site_of(Node(device=MAINS, source="grid", multiplier=40.0, max_power_w=200_000,
                        register_modulus_wh=25_000.0),
                   exchanges=(Exchange(meter=MAINS, at_ms=at("18:00"), final_wh=2_200.0,
                                       initial_wh=0.0),))
    energy = site_energy(site, GRID, imports(grid=readings))[MAINS]
    assert energy.energy_milliwh.tolist() == [8_000_000] * 48
    assert rules_of(energy) == ["R05"]
    assert energy.closing is not None
    assert energy.closing.register_milliwh == 2_400_000 * 40


def test_a_wrong_reading_stops_with_one_line() -> None:
    site = site_of(GRID_NODE, BOARD, seats=SeatMeters())
    registers = {**imports(grid=day(), board=day()),
                 (SEAT, "energy"): column({at("10:00"): float("nan")})}
    with pytest.raises(InputError, match=r"^seat/hall-a/017 at 2026-10-07T05:00:00Z: nan Wh is"):
        site_energy(site, GRID, registers)


@pytest.mark.parametrize(("clock", "first", "last", "rule", "detail"), [
    ("12:00", "13:00", "24:00", "R01",
     "first reading at 2026-10-07T07:00:00Z, declared with an exchange"),
    ("12:00", "00:00", "11:30", "R02",
     "last reading at 2026-10-07T07:00:00Z, declared with an exchange"),
])
def test_an_exchange_in_the_period_but_beside_the_readings_leaves_one_side_missing(
        clock: str, first: str, last: str, rule: str, detail: str) -> None:
    site = site_of(GRID_NODE, exchanges=(Exchange(meter=MAINS, at_ms=at(clock), final_wh=24_800.0,
                                                  initial_wh=24_800.0),))
    readings = {t: v for t, v in day().items() if at(first) <= t <= at(last)}
    energy = site_energy(site, GRID, imports(grid=readings))[MAINS]
    finding = next(f for f in energy.findings if f.blocks)
    assert (finding.rule.name, finding.detail) == (rule, detail)
    assert total(energy) == 4_800_000
    assert np.count_nonzero(energy.quality == Quality.MISSING) == 24


@pytest.mark.parametrize("years", [-20, 30])
def test_an_exchange_beside_period_and_readings_brackets_nothing(years: int) -> None:
    far_ms = at("12:00") + years * 365 * 24 * 3_600_000
    site = site_of(GRID_NODE, exchanges=(Exchange(meter=MAINS, at_ms=far_ms, final_wh=1.0,
                                                  initial_wh=0.0),))
    readings = {t: v for t, v in day().items() if at("06:00") <= t <= at("18:00")}
    energy = site_energy(site, GRID, imports(grid=readings))[MAINS]
    assert rules_of(energy) == ["R01", "R02"]
    empty = site_energy(site, GRID, {})[MAINS]
    assert rules_of(empty) == ["R01"]


def test_an_exchange_outside_the_period_between_readings_is_used() -> None:
    site = site_of(GRID_NODE, exchanges=(Exchange(meter=MAINS, at_ms=at("24:10"),
                                                  final_wh=29_666.667, initial_wh=0.0),))
    readings = {t: v for t, v in day().items() if t < at("24:00")} | {at("24:20"): 66.667}
    energy = site_energy(site, GRID, imports(grid=readings))[MAINS]
    assert total(energy) == 9_600_000
    assert {f.rule.name for f in energy.findings} == {"R08"}
