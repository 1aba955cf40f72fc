"""Every share rule and fall-back by hand; an hour has 3,600,000 ms of each seat."""

from datetime import date
from math import prod

import pytest

from seatwatt.billing.exact import split
from seatwatt.billing.explain import explain
from seatwatt.billing.spans import Spans
from seatwatt.contract.leases import Lease
from seatwatt.contract.meters import Share, Unaccounted
from tests.unit.billing import worlds
from tests.unit.billing.worlds import booking, energies, lease, node, run, totals

LEASES = (lease("alpha", "hall-a/001", "hall-a/002"), lease("beta", "hall-a/003"))
ZONES = {"hall-a": {"seats": 4, "area_m2": 80}, "hall-b": {"seats": 1, "area_m2": 30},
         "conf-1": {"seats": 0, "area_m2": 25}, "plant": 0}


def shared(rule: str, where: str = "hall-a/board", amount: int = 1200, **share: object
           ) -> dict[str, int]:
    """One node takes `amount` in the first hour."""
    site = worlds.site([node(where, share=Share(rule=rule, **share))], LEASES, ZONES)
    device = worlds.meter(where)
    read = {device: worlds.energy(device, [amount, 0])} | energies(plant_grid=[amount, 0])
    return totals(run(site, read), "shared")


@pytest.mark.parametrize(("rule", "more", "parts"), [
    ("seats", {}, {"alpha": 600, "beta": 300, "operator": 300}),
    ("seats", {"vacant_counts": False}, {"alpha": 800, "beta": 400}),
    ("equal", {}, {"alpha": 600, "beta": 600}),
    ("fixed", {"weights": (("beta", 2), ("operator", 1))}, {"beta": 800, "operator": 400}),
    ("operator", {}, {"operator": 1200}),
    ("area", {}, {"alpha": 600, "beta": 300, "operator": 300}),
    # No weight at all: seats, with the node's own word on vacancy, then the operator.
    ("consumption", {}, {"alpha": 600, "beta": 300, "operator": 300}),
    ("occupancy", {}, {"alpha": 600, "beta": 300, "operator": 300}),
    ("occupancy", {"vacant_counts": False}, {"alpha": 800, "beta": 400}),
    ("bookings", {"otherwise": "equal"}, {"alpha": 600, "beta": 600}),
])
def test_rules_of_a_hall(rule: str, more: dict[str, object], parts: dict[str, int]) -> None:
    assert shared(rule, **more) == parts
    assert shared(rule, amount=-1200, **more) == {who: -part for who, part in parts.items()}


@pytest.mark.parametrize(("rule", "parts"), [
    ("seats", {"alpha": 480, "beta": 240, "operator": 480}),   # 2 : 1 : 2 of the site's five seats
    ("equal", {"alpha": 600, "beta": 600}),
    # A seat of hall-a stands for 20 m2, hall-b's for 30: 40 : 20 : 50 of 110 m2.
    ("area", {"alpha": 436, "beta": 218, "operator": 546}),
])
def test_a_node_that_serves_no_seats_serves_the_whole_site(rule: str, parts: dict[str, int]
                                                           ) -> None:
    assert shared(rule, "plant/lift") == parts
    assert shared(rule, "conf-1/board") == parts


def test_a_hall_nobody_leases_is_the_operators() -> None:
    assert shared("seats", "hall-b/board") == {"operator": 1200}
    assert shared("equal", "hall-b/board") == {"operator": 1200}
    assert shared("seats", "hall-b/board", vacant_counts=False) == {"operator": 1200}


def test_a_site_without_seats_falls_back_to_the_operator() -> None:
    site = worlds.site([node("plant/lift")], zones={"plant": 0})
    result = run(site, energies(plant_grid=[500, 0], plant_lift=[300, 0]))
    assert totals(result) == {"operator": 500}


def test_areas_and_seat_counts_without_a_common_factor_are_exact() -> None:
    # Products of nine primes, beyond 64 bits: the weights are Python's integers.
    primes = (13, 17, 19, 23, 29, 31, 37, 41, 43)
    zones = {f"hall-{count}": {"seats": count, "area_m2": 100.01 + count} for count in primes}
    leases = [lease("alpha" if count % 4 == 1 else "beta", f"hall-{count}/001")
              for count in primes]
    amount, areas = 10**9 + 7, {count: 1_000_100 + count * 10_000 for count in primes}
    site = worlds.site([node("plant/lift", share="area")], leases, {**zones, "plant": 0})
    read = {worlds.meter("plant/lift"): worlds.energy(worlds.meter("plant/lift"), [amount, 0])}
    result = run(site, read | energies(plant_grid=[amount, 0]))
    scale = prod(primes)
    alpha, beta = (sum(areas[n] * scale // n for n in primes if (n % 4 == 1) == first)
                   for first in (True, False))
    parts = split(amount, [alpha, beta, sum(areas.values()) * scale - alpha - beta])
    assert totals(result, "shared") == dict(zip(("alpha", "beta", "operator"), parts, strict=True))
    assert explain(result, read, "alpha").nodes[0].energy_milliwh == parts[0]


def test_area_that_is_not_declared_weighs_nothing() -> None:
    zones = {"hall-a": 4, "hall-b": {"seats": 1, "area_m2": 30}}
    site = worlds.site([node("hall-a/board", share="area")], LEASES, zones)
    result = run(site, energies(plant_grid=[1200, 0], hall_a_board=[0, 0]) | {
        worlds.meter("hall-a/board"): worlds.energy(worlds.meter("hall-a/board"), [1200, 0])})
    assert totals(result) == {"alpha": 600, "beta": 300, "operator": 300}


def test_a_room_leased_whole_is_its_tenants() -> None:
    room = Lease(tenant="beta", seats=(), zones=("conf-1",), from_=date(2026, 10, 1))
    read = {worlds.meter(name): worlds.energy(worlds.meter(name), [1200, 0])
            for name in ("conf-1/board", "plant/lift")} | energies(plant_grid=[2400, 0])
    site = worlds.site([node("conf-1/board"), node("plant/lift", share="area")],
                       [*LEASES, room], ZONES)
    parts = {share.node: dict(zip(("alpha", "beta", "operator"),
                                  share.shared_milliwh.sum(axis=0).tolist(), strict=True))
             for share in run(site, read).nodes}
    assert parts["meter/conf-1/board"] == {"alpha": 0, "beta": 1200, "operator": 0}
    # By area the room counts too: 40 : 20 + 25 : 50 of 135 m2.
    assert parts["meter/plant/lift"] == {"alpha": 356, "beta": 400, "operator": 444}


def test_consumption_is_what_the_parties_carry_below_the_node() -> None:
    nodes = [node("plant/main", share="consumption"), node("hall-a/board", "plant/main"),
             node("hall-b/board", "plant/main", share="operator")]
    read = {worlds.meter(name): worlds.energy(worlds.meter(name), values) for name, values in {
        "plant/grid": [2000, 2000], "plant/main": [2000, 2000], "hall-a/board": [800, 0],
        "hall-b/board": [200, 0]}.items()}
    result = run(worlds.site(nodes, LEASES, ZONES), read)
    main = next(share for share in result.nodes if share.node == "meter/plant/main")
    # First hour: 400 : 200 : 200 + 200. Second: nobody carries anything, so by the site's seats.
    assert main.shared_milliwh.tolist() == [[400, 200, 400], [800, 400, 800]]
    assert [part.rule for part in main.parts] == ["consumption", "seats"]


def test_a_negative_load_weighs_nothing() -> None:
    nodes = [node("hall-a/board", share=Share(rule="fixed", weights=(("alpha", 1),))),
             node("hall-b/board", share=Share(rule="fixed", weights=(("beta", 1),)))]
    read = {worlds.meter(name): worlds.energy(worlds.meter(name), values) for name, values in {
        "plant/grid": [700, 0], "hall-a/board": [-100, 0], "hall-b/board": [600, 0]}.items()}
    result = run(worlds.site(nodes, LEASES, ZONES), read)
    assert totals(result, "unaccounted") == {"beta": 200}
    assert totals(result) == {"alpha": -100, "beta": 800}


def test_bookings_split_by_time_first() -> None:
    site = worlds.site([node("conf-1/board", share=Share(rule="bookings", otherwise="seats"))],
                       LEASES, ZONES, bookings=(booking("alpha", "conf-1", "10:00", "10:30"),
                                                booking("beta", "conf-1", "10:45", "12:30")))
    device = worlds.meter("conf-1/board")
    result = run(site, {device: worlds.energy(device, [1200, 600])} | energies(
        plant_grid=[1200, 600]))
    # 30 minutes alpha, 15 beta, 15 free (300 by 2 : 1 : 2 seats); then all of the hour beta's.
    assert result.shared_milliwh.tolist() == [[600 + 120, 300 + 60, 120], [0, 600, 0]]
    assert [part.rule for part in result.nodes[0].parts] == ["bookings", "seats"]
    assert result.booked_ms.tolist() == [[1_800_000, 900_000, 0], [0, 3_600_000, 0]]


def test_a_node_of_two_rooms_splits_over_both() -> None:
    share = Share(rule="bookings", otherwise="operator")
    site = worlds.site([node("plant/rooms", share=share, serves=("conf-1", "plant"))], LEASES,
                       ZONES, bookings=(booking("alpha", "conf-1", "10:00", "11:00"),
                                        booking("beta", "hall-b", "10:00", "11:00")))
    device = worlds.meter("plant/rooms")
    result = run(site, {device: worlds.energy(device, [1000, 0])} | energies(plant_grid=[1000, 0]))
    assert totals(result) == {"alpha": 500, "operator": 500}


def test_a_node_that_serves_no_room_at_all_has_nothing_to_book() -> None:
    share = Share(rule="bookings", otherwise="equal")
    site = worlds.site([node("plant/rooms", share=share, serves=())], LEASES, ZONES)
    device = worlds.meter("plant/rooms")
    result = run(site, {device: worlds.energy(device, [1000, 0])} | energies(plant_grid=[1000, 0]))
    assert totals(result) == {"alpha": 500, "beta": 500}


def test_occupancy_by_holder() -> None:
    minute, start = worlds.MINUTE_MS, worlds.ms("10:00")
    occupancy = {("hall-a", name): Spans.of([(start + a * minute, start + b * minute)])
                 for name, a, b in (("001", 0, 10), ("002", 5, 15), ("003", 0, 40),
                                    ("004", 0, 60), ("999", 0, 60))}
    site = worlds.site([node("hall-a/board", share="occupancy")], LEASES, ZONES)
    device = worlds.meter("hall-a/board")
    result = run(site, {device: worlds.energy(device, [1200, 400])} | energies(
        plant_grid=[1200, 400]), occupancy=occupancy)
    # 20 : 40 minutes; the vacant seat 004 weighs for nobody. Then nobody sits: by seats 2 : 1 : 1.
    assert result.shared_milliwh.tolist() == [[400, 800, 0], [200, 100, 100]]
    assert result.occupied_ms.tolist() == [[20 * minute, 40 * minute, 60 * minute], [0, 0, 0]]


@pytest.mark.parametrize(("rule", "parts"), [
    ("consumption", {"alpha": 67, "beta": 33}),
    ("seats", {"alpha": 50, "beta": 25, "operator": 25}),
    ("operator", {"operator": 100}),
])
def test_unaccounted_energy_has_a_rule_of_its_own(rule: str, parts: dict[str, int]) -> None:
    site = worlds.site(leases=LEASES, unaccounted=Unaccounted(share=Share(rule=rule)))
    read = energies(plant_grid=[400, 0], seat__hall_a__001=[200, 0], seat__hall_a__003=[100, 0])
    result = run(site, read)
    assert totals(result, "direct") == {"alpha": 200, "beta": 100}
    assert totals(result, "unaccounted") == parts
