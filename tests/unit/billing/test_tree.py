"""Who hangs below whom, and whom a node serves."""

import pytest

from seatwatt.billing.tree import Branch, branches_of
from seatwatt.contract.errors import InputError
from seatwatt.contract.meters import SeatMeters
from tests.unit.billing import worlds
from tests.unit.billing.worlds import node

ZONES = {"hall-a": 2, "hall-b": 2, "conf-1": 0, "floor-1": 0}


def branches(*nodes: object, seats: tuple[str, ...] = (), **more: object) -> dict[str, Branch]:
    site = worlds.site(nodes=nodes, zones=ZONES, **more)  # type: ignore[arg-type]
    return {branch.name: branch for branch in branches_of(site, seats)}


def test_children_come_before_their_parents_and_the_supply_last() -> None:
    found = branches(node("hall-a/board", "floor-1/board"), node("hall-a/light", "hall-a/board"),
                     node("floor-1/board"))
    assert list(found) == ["meter/hall-a/light", "meter/hall-a/board", "meter/floor-1/board",
                           "supply"]
    assert found["supply"].nodes == (worlds.meter("floor-1/board"),)
    assert found["meter/hall-a/board"].nodes == (worlds.meter("hall-a/light"),)


def test_a_node_without_a_meter_passes_its_children_through() -> None:
    found = branches(node("floor-1/board", metered=False), node("hall-a/board", "floor-1/board"),
                     seats=("hall-a", "hall-b"), seat_meters=SeatMeters(parent="floor-1/board"))
    assert list(found) == ["meter/hall-a/board", "supply"]
    assert found["supply"].nodes == (worlds.meter("hall-a/board"),)
    assert found["supply"].seat_zones == ("hall-a", "hall-b")


def test_a_node_serves_its_own_zone_and_what_its_children_serve() -> None:
    found = branches(node("floor-1/board"), node("hall-a/board", "floor-1/board"),
                     node("conf-1/board", serves=("hall-b",)), node("conf-1/lamp"),
                     seats=("hall-a",), seat_meters=SeatMeters(parent="conf-1/lamp"))
    assert found["meter/floor-1/board"].zones == ("floor-1", "hall-a")
    assert found["meter/conf-1/board"].zones == ("hall-b",)
    assert found["meter/conf-1/lamp"].zones == ("conf-1", "hall-a")
    assert found["supply"].zones == ()


def test_bookings_of_its_own_zone_or_of_those_it_serves_concern_a_node() -> None:
    found = branches(node("conf-1/board"), node("hall-a/board", serves=("conf-1", "hall-b")))
    assert found["meter/conf-1/board"].rooms == ("conf-1",)
    assert found["meter/hall-a/board"].rooms == ("conf-1", "hall-b")


def test_a_site_without_a_source_is_refused() -> None:
    site = worlds.site(nodes=[node("hall-a/board")])
    object.__setattr__(site, "nodes", site.nodes[1:])
    with pytest.raises(InputError, match="no meter is a source"):
        branches_of(site, ())
