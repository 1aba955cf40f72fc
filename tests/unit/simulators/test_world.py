"""The simulated world keeps its own accounts: what goes up the tree is what came from below."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwatt.contract.devices import Device
from seatwatt.contract.errors import InputError
from seatwatt.contract.site import Site
from seatwatt.simulators.days import MINUTE_MS, LocalDay
from seatwatt.simulators.world import World
from seatwatt.store.sitefiles import load_site
from tests.shared import ROOT

SINCE = date(2026, 10, 1)
DAY_MS = 1440 * MINUTE_MS


def site(name: str) -> Site:
    return load_site(ROOT / "examples" / f"{name}.yaml")


@pytest.fixture(scope="module")
def workaround() -> World:
    return World(site("workaround"), 7, SINCE)


@pytest.mark.parametrize("name", ["workaround", "e-rozgar", "combed"])
def test_examples_load(name: str) -> None:
    assert site(name).id == name


def test_the_scale_of_both_places() -> None:
    assert sum(len(zone.seats) for zone in site("workaround").zones) == 350
    assert len(site("workaround").tenants) == 8
    assert sum(len(zone.seats) for zone in site("e-rozgar").zones) == 100


def test_the_same_arguments_give_the_same_world_in_any_order(workaround: World) -> None:
    again = World(workaround.site, 7, SINCE)
    times = workaround.since_ms + np.array([5 * DAY_MS + 12_345, 9 * DAY_MS])
    again.day(SINCE + timedelta(days=11))
    assert (workaround.counted(times) == again.counted(times)).all()


def test_another_seed_gives_another_world(workaround: World) -> None:
    times = np.array([workaround.since_ms + DAY_MS])
    assert (World(workaround.site, 8, SINCE).counted(times) != workaround.counted(times)).any()


def test_registers_never_fall(workaround: World) -> None:
    times = workaround.since_ms + np.arange(0, 3 * DAY_MS, 37_000)
    assert (np.diff(workaround.counted(times), axis=1) >= 0).all()


@given(start=st.integers(0, 3 * 24 * 60), steps=st.integers(1, 30))
def test_energy_of_intervals_telescopes(workaround: World, start: int, steps: int) -> None:
    start_ms = workaround.since_ms + start * MINUTE_MS
    end_ms = start_ms + steps * 1_800_000
    ends = workaround.counted(np.array([start_ms, end_ms]))
    truth = workaround.energy(start_ms, end_ms, 1800)
    for row, register in enumerate(workaround.registers):
        total = int(truth[register.device, register.quantity.name].sum())
        assert total == ends[row, 1] - ends[row, 0]


def test_a_board_carries_its_seats_and_more(workaround: World) -> None:
    start_ms = workaround.since_ms
    truth = workaround.energy(start_ms, start_ms + DAY_MS, 1800)
    for zone in ("hall-a", "hall-f"):
        seats = sum(row for (device, _), row in truth.items()
                    if device.kind == "seat" and device.zone == zone)
        assert (truth[Device("meter", zone, "board"), "energy_import"] >= seats).all()


def test_the_sources_give_what_the_top_of_the_tree_draws_and_its_losses(workaround: World) -> None:
    flow = workaround.day(SINCE)
    layout = workaround.layout
    top = sum(flow.nodes[i] for i, parent in enumerate(layout.node_parent) if parent == -1)
    supply = flow.sources.sum(axis=0)
    assert ((supply - top)[supply > 0] > 0).all()
    assert (supply.sum() - top.sum()) < 0.05 * supply.sum()


def test_load_shedding_moves_the_load_to_the_generator(workaround: World) -> None:
    flow = workaround.day(SINCE)
    grid, generator = flow.sources
    assert flow.off.sum() == 120
    assert (grid[flow.off] == 0).all()
    assert (generator[~flow.off] == 0).all()
    assert (generator[flow.off & ~flow.dark] > 0).all()
    assert 2 <= flow.dark.sum() <= 6


def test_in_the_dark_the_battery_feeds_its_seats_and_later_takes_back_more(workaround: World
                                                                          ) -> None:
    flow = workaround.day(SINCE)
    ups = next(i for i, node in enumerate(workaround.layout.nodes) if node.storage)
    below = [i for i, parent in enumerate(workaround.layout.node_parent) if parent == ups]
    assert (flow.nodes[ups][flow.dark] == 0).all()
    assert (flow.nodes[below][:, flow.dark] > 0).any()
    assert flow.discharged[ups].max() > 0
    assert flow.discharged[ups][-1] == 0
    assert flow.nodes[ups].sum() > flow.nodes[below].sum()


def test_seats_without_a_battery_are_off_in_the_dark(workaround: World) -> None:
    flow = workaround.day(SINCE)
    bare = ~workaround.layout.seat_backed
    assert bare.any()
    assert (flow.seats[bare][:, flow.dark] == 0).all()


def test_two_shifts_share_a_seat_and_vacant_seats_stay_empty(workaround: World) -> None:
    flow = workaround.day(SINCE)
    seats = {seat: row for row, seat in enumerate(workaround.layout.seats)}
    hall_a = [row for (zone, _), row in seats.items() if zone == "hall-a"]
    assert flow.worked[hall_a, 11 * 60].mean() > 0.6
    assert flow.worked[hall_a, 22 * 60].mean() > 0.6
    assert not flow.worked[hall_a, 19 * 60 + 30].any()
    assert not flow.worked[seats["hall-d", "060"]].any()


def test_a_night_shift_goes_on_after_midnight_as_it_began(workaround: World) -> None:
    hall_a = [i for i, (zone, _) in enumerate(workaround.layout.seats) if zone == "hall-a"]
    before = workaround.day(SINCE).worked[hall_a, -1]
    after = workaround.day(SINCE + timedelta(days=1)).worked[hall_a, 0]
    assert before.any()
    assert (before == after).mean() > 0.95


def test_a_day_pass_is_worked_only_while_it_lasts() -> None:
    world = World(site("e-rozgar"), 3, date(2026, 10, 1))
    seat = world.layout.seats.index(("floor-1", "043"))
    days = [world.day(SINCE + timedelta(days=n)).worked[seat] for n in range(28)]
    assert any(day.any() for day in days)
    assert not any(day[:8 * 60 + 20].any() or day[22 * 60 + 10:].any() for day in days)


def test_solar_surplus_is_exported() -> None:
    world = World(site("e-rozgar"), 3, SINCE)
    truth = world.energy(world.since_ms, world.since_ms + 7 * DAY_MS, 1800)
    assert truth[Device("meter", "plant", "solar"), "energy_import"].sum() > 0
    grid = Device("meter", "plant", "grid")
    assert (grid, "energy_export") in truth
    assert truth[grid, "energy_import"].sum() > 0


def test_the_world_has_a_first_day(workaround: World) -> None:
    with pytest.raises(InputError, match="2026-09-30 lies before its first day"):
        workaround.counted(np.array([workaround.since_ms - 1]))


def test_a_display_has_steps_a_modulus_and_a_multiplier(workaround: World) -> None:
    grid = next(r for r in workaround.registers if str(r.device) == "meter/plant/grid")
    shown = grid.shown_wh(np.array([10**12 - 1, 10**12, 10**12 + 1_999]))
    assert shown.tolist() == [999_999_999.0, 0.0, 1.0]


def test_days_that_are_not_twenty_four_hours_long(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text("""
site: dublin
name: Dublin
time_zone: Europe/Dublin
currency: EUR
zones: {hall: {kind: hall, seats: 2}}
meters: {plant/grid: {source: grid}, hall/board: {parent: supply, share: seats}}
seat_meters: {parent: "{zone}/board"}
tenants: {alpha: {name: Alpha}}
leases:
  - {tenant: alpha, seats: ["hall/001-002"], from: 2026-01-01,
     shift: {days: mon-sun, start: "22:00", end: "06:00"}}
""")
    world = World(load_site(file), 1, date(2026, 10, 24))
    assert LocalDay.of(date(2026, 10, 25), world.site.time_zone).minutes == 25 * 60
    truth = world.energy(world.since_ms, world.since_ms + 3 * DAY_MS + 3_600_000, 1800)
    assert all((row >= 0).all() for row in truth.values())
    assert world.day(date(2026, 10, 25)).worked[:, :5 * 60].any()
