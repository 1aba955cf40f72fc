"""Laws that hold for every site: conservation, and what must change nothing."""

from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from random import Random

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seatwatt.billing.result import Apportionment
from seatwatt.billing.spans import Spans
from seatwatt.contract.devices import Device
from seatwatt.contract.intervals import IntervalGrid
from seatwatt.contract.leases import Lease, Shift, Tenant
from seatwatt.contract.meters import Node, SeatMeters, Share, Unaccounted
from seatwatt.contract.site import Site
from seatwatt.metering import MeterEnergy, RegisterColumn, site_energy
from tests.unit.billing import worlds

HALLS = ("hall-a", "hall-b")
SEATS = [(hall, f"{n:03d}") for hall in HALLS for n in (1, 2)]
TENANTS = ("alpha", "beta", "gamma")
SOURCES = ("grid", "generator", "solar")
HOURS = 6
GRID = worlds.grid("00:00", "06:00", 60)
law = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@dataclass(frozen=True)
class World:
    """A site, what its meters read, and who sat where."""

    site: Site
    read: dict[Device, MeterEnergy]
    occupancy: dict[tuple[str, str], Spans]

    def run(self, over: IntervalGrid = GRID) -> Apportionment:
        return worlds.run(self.site, self.read, over, self.occupancy)


rules = st.sampled_from(("consumption", "seats", "occupancy", "area", "equal", "operator", "fixed"))
cuts = st.lists(st.integers(1, 71), unique=True, max_size=3).map(sorted)  # in five minutes


@st.composite
def shares(draw: st.DrawFn, booked: bool = False) -> Share:
    rule = draw(rules)
    weights = ((draw(st.sampled_from(TENANTS)), draw(st.integers(1, 5))),)
    if booked and draw(st.booleans()):
        rule, weights = "bookings", ()
    return Share(rule=rule, otherwise=draw(st.sampled_from(("seats", "equal", "operator"))),
                 vacant_counts=draw(st.booleans()), weights=weights if rule == "fixed" else ())


@st.composite
def leases(draw: st.DrawFn) -> list[Lease]:
    """Each seat changes hands at a few moments; vacant in between at times."""
    found = []
    for zone, seat in SEATS:
        edges = [0, *draw(cuts), 72]
        for start, end in pairwise(edges):
            tenant = draw(st.sampled_from((*TENANTS, "")))
            if tenant:
                found.append(worlds.lease(
                    tenant, f"{zone}/{seat}", from_=moment(start), to=moment(end)))
    return found


def moment(five_minutes: int) -> object:
    return worlds.instant(GRID.start_ms + five_minutes * 5 * worlds.MINUTE_MS)


def reads(device: Device, low: int = 0) -> st.SearchStrategy[MeterEnergy]:
    return st.lists(st.integers(low, 50_000), min_size=HOURS, max_size=HOURS).map(
        lambda milliwh: worlds.energy(device, milliwh))


@st.composite
def worlds_of(draw: st.DrawFn) -> World:
    nodes = [worlds.node("plant/floor", metered=draw(st.booleans()), share=draw(shares())),
             *(worlds.node(f"{hall}/board", "plant/floor", share=draw(shares()),
                           storage=draw(st.booleans())) for hall in HALLS),
             worlds.node("conf-1/board", share=draw(shares(booked=True))),
             worlds.node("plant/lift", share=draw(shares())),
             *(Node(device=worlds.meter(f"plant/{name}"), source=name) for name in SOURCES[1:])]
    zones = {"hall-a": {"seats": 2, "area_m2": 37.5}, "hall-b": {"seats": 2, "area_m2": 80},
             "conf-1": {"seats": 0, "area_m2": 20}, "plant": 0}
    booked = draw(st.booleans())
    site = worlds.site(
        nodes, draw(leases()), zones, TENANTS, seat_meters=SeatMeters(),
        unaccounted=Unaccounted(share=draw(shares())),
        bookings=(worlds.booking("beta", "conf-1", "01:20", "03:10"),) if booked else ())
    metered = [node.device for node in site.nodes if node.metered]
    read = {device: draw(reads(device, -9_000 if device.name == "grid" else 0))
            for device in metered}
    for zone, name in SEATS:
        device = Device("seat", zone, name)
        read[device] = draw(reads(device))
    sat = {seat: Spans.of([(GRID.start_ms + 777_000, GRID.start_ms + draw(st.integers(1, 20))
                            * 1_000_000)]) for seat in SEATS[:3]}
    return World(site, read, sat)


def same(one: Apportionment, other: Apportionment, *parties: str) -> bool:
    """Whether all energies of these parties (all, by default) are equal in every interval."""
    names = parties or one.parties
    return all(np.array_equal(getattr(one, f"{kind}_milliwh")[..., one.parties.index(party)],
                              getattr(other, f"{kind}_milliwh")[..., other.parties.index(party)])
               for kind in ("direct", "shared", "unaccounted", "by_source", "estimated")
               for party in names)


@given(worlds_of())
@law
def test_every_milliwatt_hour_has_one_party(world: World) -> None:
    result = world.run()
    supply = sum(world.read[worlds.meter(f"plant/{name}")].energy_milliwh for name in SOURCES)
    assert np.array_equal(result.energy_milliwh.sum(axis=1), supply)
    assert np.array_equal(result.by_source_milliwh.sum(axis=2), result.supply_milliwh)
    assert np.array_equal(result.by_source_milliwh.sum(axis=0), result.energy_milliwh)
    seats = sum(world.read[Device("seat", *seat)].energy_milliwh for seat in SEATS)
    assert np.array_equal(result.direct_milliwh.sum(axis=1), seats)
    for share in result.nodes:
        assert np.array_equal(share.shared_milliwh.sum(axis=1), share.residual_milliwh)
    # No bands are declared: the operator and the tenants share one, which is the whole supply.
    assert sum(int(result.by_band_milliwh(at).sum()) for at in range(3)) == int(supply.sum())


@given(worlds_of(), st.randoms(use_true_random=False))
@law
def test_the_order_of_declarations_and_readings_is_irrelevant(world: World, random: Random
                                                              ) -> None:
    def shuffled(values: tuple[object, ...]) -> tuple[object, ...]:
        return tuple(random.sample(values, len(values)))

    site = replace(world.site, **{name: shuffled(getattr(world.site, name))
                                  for name in ("nodes", "leases", "zones", "tenants", "bookings")})
    read = dict(random.sample(list(world.read.items()), len(world.read)))
    assert same(world.run(), World(site, read, world.occupancy).run())


@given(worlds_of(), st.integers(0, 20), st.integers(1, 71))
@law
def test_a_lease_in_two_touching_parts_changes_nothing(world: World, which: int, cut: int) -> None:
    declared = list(world.site.leases)
    if declared:
        lease = declared.pop(which % len(declared))
        at = moment(cut)
        if lease.from_ < at < lease.to:
            declared += [replace(lease, to=at), replace(lease, from_=at)]
        else:
            declared.append(lease)
    assert same(world.run(), replace(world, site=replace(
        world.site, leases=tuple(declared))).run())


@given(st.integers(0, 47), st.sampled_from((5, 30, 60)))
@law
def test_a_night_shift_in_two_touching_parts_changes_nothing(half_hours: int, minutes: int
                                                             ) -> None:
    shift = Shift(days=(1, 2), start=worlds.moment("20:10").time(),
                  end=worlds.moment("05:20").time())
    whole = worlds.lease("alpha", "hall-a/001", shift=shift)
    at = worlds.instant(worlds.ms("2026-10-06T18:00") + half_hours * 30 * worlds.MINUTE_MS)
    over = worlds.grid("2026-10-06T18:00", "2026-10-07T18:00", minutes)
    seat = Device("seat", "hall-a", "001")
    read = {device: worlds.energy(device, [997] * len(over))
            for device in (seat, worlds.meter("plant/grid"))}
    parts = [replace(whole, to=at), replace(whole, from_=at)]
    assert same(worlds.run(worlds.site(leases=[whole]), read, over),
                worlds.run(worlds.site(leases=parts), read, over))


@given(worlds_of(), st.sampled_from(("aaa", "beta-2", "zeta")))
@law
def test_a_dead_tenant_changes_nothing(world: World, name: str) -> None:
    site = replace(world.site, tenants=(*world.site.tenants, Tenant(id=name)))
    gone = worlds.lease(name, "hall-a/001", from_=date(2025, 1, 1), to=date(2025, 2, 1))
    with_dead = replace(world, site=replace(site, leases=(*site.leases, gone))).run()
    assert same(world.run(), with_dead, *world.run().parties)
    assert name not in with_dead.involved()


@given(worlds_of(), st.integers(2, 1000))
@law
def test_scaling_every_register_scales_every_part(world: World, factor: int) -> None:
    """Up to what rounding leaves: each of the splits on the way is less than one mWh off in the
    small world, and so less than `factor` in the large one."""
    large = replace(world, read={device: replace(meter, energy_milliwh=meter.energy_milliwh
                                                 * factor) for device, meter in world.read.items()})
    one, many = world.run(), large.run()
    assert np.array_equal(one.supply_milliwh * factor, many.supply_milliwh)
    splits = 4 * HOURS + 8 * HOURS
    off = np.abs((one.direct_milliwh * factor - many.direct_milliwh).sum(axis=0))
    assert (off <= factor * splits).all()


@given(worlds_of())
@law
def test_finer_intervals_sum_to_the_coarser(world: World) -> None:
    """Energies that are even within the hour: seats and supply agree to the milliwatt-hour when
    nobody changes within an hour, and otherwise to what rounding leaves."""
    fine = worlds.grid("00:00", "06:00", 30)
    even = {device: replace(meter, energy_milliwh=meter.energy_milliwh * 2)
            for device, meter in world.read.items()}
    halves = {device: worlds.energy(device, np.repeat(meter.energy_milliwh, 2).tolist())
              for device, meter in world.read.items()}
    coarse = replace(world, read=even).run()
    finer = replace(world, read=halves, site=replace(world.site, interval_s=1800)).run(fine)
    assert np.array_equal(coarse.supply_milliwh,
                          finer.supply_milliwh.reshape(len(SOURCES), HOURS, 2).sum(axis=2))
    summed = finer.direct_milliwh.reshape(HOURS, 2, -1).sum(axis=1)
    assert np.array_equal(summed.sum(axis=1), coarse.direct_milliwh.sum(axis=1))
    assert np.array_equal(finer.held_ms.reshape(HOURS, 2, -1).sum(axis=1), coarse.held_ms)
    whole = [hour for hour in range(HOURS) if not any(
        edge % 12 and edge // 12 == hour for edge in edges(world.site))]
    assert np.array_equal(summed[whole], coarse.direct_milliwh[whole])


def edges(site: Site) -> set[int]:
    """Five-minute positions at which some lease begins or ends."""
    return {int((instant.timestamp() * 1000 - GRID.start_ms) // (5 * worlds.MINUTE_MS))
            for lease in site.leases for instant in (lease.from_, lease.to)}


registers = st.lists(st.integers(0, 500), min_size=26, max_size=26).map(np.cumsum)


@given(st.lists(registers, min_size=5, max_size=5), st.randoms(use_true_random=False))
@law
def test_delivering_everything_twice_in_any_order_changes_nothing(
        values: list[np.ndarray], random: Random) -> None:
    times = GRID.start_ms + np.arange(26) * 15 * worlds.MINUTE_MS - 450_000
    names = [(worlds.meter("plant/grid"), "energy_import"),
             *((Device("seat", *seat), "energy") for seat in SEATS)]
    once = {key: RegisterColumn(times, register.astype(float))
            for key, register in zip(names, values, strict=True)}
    order = random.sample(range(52), 52)
    twice = {key: RegisterColumn(np.tile(times, 2)[order], np.tile(column.values_wh, 2)[order])
             for key, column in once.items()}
    site = worlds.site(leases=[worlds.lease("alpha", "hall-a/001"),
                               worlds.lease("beta", "hall-b/002")],
                       zones=dict.fromkeys(HALLS, 2))
    assert same(*(worlds.run(site, site_energy(site, GRID, columns), GRID)
                  for columns in (once, twice)))


def test_the_law_of_touching_leases_is_not_vacuous() -> None:
    """Two leases with an hour between them do change something."""
    seat = Device("seat", "hall-a", "001")
    read = worlds.energies(plant_grid=[100, 100]) | {seat: worlds.energy(seat, [100, 100])}
    whole = worlds.lease("alpha", "hall-a/001")
    apart = [replace(whole, to=worlds.moment("10:00")),
             replace(whole, from_=worlds.moment("11:00"))]
    assert not same(worlds.run(worlds.site(leases=[whole]), read),
                    worlds.run(worlds.site(leases=apart), read))
