"""The whole of it on a small site: shapes, sources, estimates, missing meters."""

from datetime import time

import numpy as np

from seatwatt.contract.meters import Node
from seatwatt.contract.site import BandRule
from tests.unit.billing import worlds
from tests.unit.billing.worlds import energies, energy, lease, node, run, totals

GENERATOR = worlds.meter("plant/generator")
PEAK = BandRule(band="peak", months=(10,), days=tuple(range(7)), start=time(11), end=time(14))


def test_sources_and_bands_add_up_for_every_party() -> None:
    site = worlds.site([Node(device=GENERATOR, source="generator")], [
        lease("alpha", "hall-a/001"), lease("beta", "hall-a/002")], bands=(PEAK,))
    result = run(site, energies(plant_grid=[300, 0], seat__hall_a__001=[200, 150],
                                seat__hall_a__002=[100, 50]) | {
        GENERATOR: energy(GENERATOR, [0, 200])})
    assert result.sources == ("grid", "generator")
    assert result.bands == ("offpeak", "peak")
    assert result.by_band_milliwh(0).tolist() == [[200, 100, 0], [0, 0, 0]]
    assert result.by_band_milliwh(1).tolist() == [[0, 0, 0], [150, 50, 0]]
    assert result.supply_by_band_milliwh(0).tolist() == [300, 0]
    assert result.supply_by_band_milliwh(1).tolist() == [0, 200]


def test_a_source_without_readings_is_not_measured() -> None:
    site = worlds.site([Node(device=GENERATOR, source="generator")])
    result = run(site, energies(plant_grid=[300, 100]))
    assert result.supply_measured.tolist() == [[True, True], [False, False]]
    assert result.supply_milliwh.tolist() == [[300, 100], [0, 0]]


def test_a_board_without_readings_counts_nothing() -> None:
    site = worlds.site([node("hall-a/board")])
    assert totals(run(site, energies(plant_grid=[300, 100])), "unaccounted") == {"operator": 400}


def test_estimated_seat_energy_is_its_holders() -> None:
    seat = worlds.Device("seat", "hall-a", "001")
    site = worlds.site(leases=[lease("alpha", "hall-a/001", to=worlds.moment("11:20")),
                               lease("beta", "hall-a/001", from_=worlds.moment("11:20"))])
    result = run(site, energies(plant_grid=[100, 90]) | {seat: energy(seat, [100, 90], [1])})
    assert result.estimated_milliwh.tolist() == [[0, 0, 0], [30, 60, 0]]
    assert result.seats.estimated_milliwh[0].tolist() == [30, 60, 0]
    assert result.seats.by_party_milliwh[0].tolist() == [130, 60, 0]
    assert result.seats.held_ms[0].tolist() == [4_800_000, 2_400_000, 0]
    assert result.seats.metered.tolist() == [True, False, False, False]


def test_a_seat_that_is_not_declared_stays_in_the_residual() -> None:
    site = worlds.site(leases=[lease("alpha", "hall-a/001")])
    result = run(site, energies(plant_grid=[100, 0], seat__hall_a__099=[100, 0]))
    assert totals(result, "direct") == {}
    assert totals(result, "unaccounted") == {"alpha": 25, "operator": 75}


def test_involved_parties() -> None:
    site = worlds.site(leases=[lease("alpha", "hall-a/001")], tenants=("alpha", "beta", "gamma"),
                       zones={"hall-a": 1, "conf-1": 0},
                       bookings=(worlds.booking("gamma", "conf-1", "10:00", "10:15"),))
    result = run(site, energies(plant_grid=[0, 0]))
    assert result.parties == ("alpha", "beta", "gamma", "operator")
    assert result.involved() == ("alpha", "gamma", "operator")


def test_a_month_is_int64_throughout() -> None:
    result = run(worlds.site(leases=[lease("alpha", "hall-a/001")]),
                 energies(plant_grid=[10**9, 10**9], seat__hall_a__001=[10**9, 10**9 - 1]))
    for array in (result.energy_milliwh, result.by_source_milliwh, result.held_ms,
                  result.estimated_milliwh, result.supply_milliwh):
        assert array.dtype == np.int64
