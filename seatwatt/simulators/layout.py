"""A site as the simulator walks it: seats and nodes by index, children before parents."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from seatwatt.contract.devices import Device
from seatwatt.contract.site import Node, Site, Zone

AT_SUPPLY = -1


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Who hangs below whom. A parent is an index into `nodes`, or AT_SUPPLY."""

    site: Site
    seats: tuple[tuple[str, str], ...]
    seat_parent: NDArray[np.intp]
    nodes: tuple[Node, ...]
    """All nodes but the sources, children before their parents."""
    node_parent: tuple[int, ...]
    sources: tuple[Node, ...]
    rooms: tuple[Zone, ...]
    """Zones without seats where people come together."""
    seat_backed: NDArray[np.bool_]
    """Seats with a battery above them."""
    node_backed: tuple[bool, ...]

    @classmethod
    def of(cls, site: Site) -> Self:
        """The layout of a site that has been checked."""
        sources = tuple(node for node in site.nodes if node.source)
        nodes = _children_first([node for node in site.nodes if not node.source])
        index = {node.device: i for i, node in enumerate(nodes)}
        parents = tuple(AT_SUPPLY if node.parent is None else index.get(node.parent, AT_SUPPLY)
                        for node in nodes)
        backed = tuple(_has_battery_above(i, nodes, parents) for i in range(len(nodes)))
        seats = tuple((zone.name, seat) for zone in site.zones for seat in zone.seats)
        seat_parent = np.array([_seat_parent(site, zone, index) for zone, _ in seats],
                               dtype=np.intp)
        seat_backed = np.array([p != AT_SUPPLY and (nodes[p].storage or backed[p])
                                for p in seat_parent], dtype=np.bool_)
        rooms = tuple(z for z in site.zones if not z.seats and z.kind in ROOM_KINDS)
        return cls(site, seats, seat_parent, nodes, parents, sources, rooms, seat_backed, backed)


ROOM_KINDS = ("conference", "meeting", "training", "cafeteria", "room", "lounge")


def _children_first(nodes: list[Node]) -> tuple[Node, ...]:
    by_device = {node.device: node for node in nodes}

    def depth(node: Node) -> int:
        parent = by_device.get(node.parent) if node.parent else None
        return 0 if parent is None else 1 + depth(parent)

    return tuple(sorted(nodes, key=lambda node: (-depth(node), node.device)))


def _has_battery_above(i: int, nodes: tuple[Node, ...], parents: tuple[int, ...]) -> bool:
    while (i := parents[i]) != AT_SUPPLY:
        if nodes[i].storage:
            return True
    return False


def _seat_parent(site: Site, zone: str, index: dict[Device, int]) -> int:
    if site.seat_meters is not None:
        parent = site.seat_meters.parent_in(zone)
        return AT_SUPPLY if parent is None else index.get(parent, AT_SUPPLY)
    return next((i for device, i in index.items() if device.zone == zone), AT_SUPPLY)
