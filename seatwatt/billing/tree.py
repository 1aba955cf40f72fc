"""The meter tree: who hangs below whom, and whose seats a node serves."""

from collections.abc import Iterable
from dataclasses import dataclass

from seatwatt.billing.result import Seat
from seatwatt.contract.devices import Device
from seatwatt.contract.errors import InputError
from seatwatt.contract.meters import SUPPLY, Node, SeatMeters, Share
from seatwatt.contract.site import Site


@dataclass(frozen=True, slots=True, eq=False)
class Branch:
    """A metered node, or the supply (`device` None), with what is metered directly below it."""

    device: Device | None
    share: Share
    storage: bool
    nodes: tuple[Device, ...]
    seats: tuple[Seat, ...]
    zones: tuple[str, ...]
    """Zones it serves: its own or those it names, and those its children serve."""
    rooms: tuple[str, ...]
    """Zones whose bookings concern it: its own, or those it names."""

    @property
    def name(self) -> str:
        """`supply`, or kind/zone/device."""
        return SUPPLY if self.device is None else str(self.device)


def branches_of(site: Site, metered_seats: Iterable[Seat]) -> tuple[Branch, ...]:
    """Metered nodes bottom-up, each after all that hang below it, the supply last.

    A node without a meter passes its children through. InputError without a source.
    """
    if all(node.source is None for node in site.nodes):
        raise InputError("meters", "no meter is a source", "at least one with source: grid")
    return tuple(_Tree(site, tuple(metered_seats)).bottom_up(None))


class _Tree:
    def __init__(self, site: Site, metered_seats: tuple[Seat, ...]) -> None:
        self._site = site
        self._below: dict[Device | None, list[Node]] = {}
        for node in site.nodes:
            if node.source is None:
                self._below.setdefault(node.parent, []).append(node)
        self._seats: dict[Device | None, list[Seat]] = {}
        parents = site.seat_meters or SeatMeters()
        for seat in metered_seats:
            self._seats.setdefault(parents.parent_in(seat[0]), []).append(seat)
        self._nodes = {node.device: node for node in site.nodes}

    def bottom_up(self, device: Device | None) -> list[Branch]:
        """The branches below `device`, then its own if it has a meter."""
        branches = [branch for node in self._below.get(device, [])
                    for branch in self.bottom_up(node.device)]
        if device is None:
            share = self._site.unaccounted.share
            branches.append(self._branch(None, share, False))
        elif (node := self._nodes[device]).metered:
            branches.append(self._branch(device, node.share, node.storage))
        return branches

    def _branch(self, device: Device | None, share: Share, storage: bool) -> Branch:
        nodes, seats = self._metered_below(device)
        own = self._own_zones(device)
        zones = tuple(dict.fromkeys(self._served(device))) if device is not None else ()
        return Branch(device, share, storage, tuple(nodes), tuple(seats), zones, own)

    def _metered_below(self, device: Device | None) -> tuple[list[Device], list[Seat]]:
        nodes, seats = [], list(self._seats.get(device, []))
        for node in self._below.get(device, []):
            if node.metered:
                nodes.append(node.device)
            else:
                more, more_seats = self._metered_below(node.device)
                nodes, seats = nodes + more, seats + more_seats
        return nodes, seats

    def _served(self, device: Device) -> list[str]:
        zones = list(self._own_zones(device))
        zones += [zone for zone, _ in self._seats.get(device, [])]
        for node in self._below.get(device, []):
            zones += self._served(node.device)
        return zones

    def _own_zones(self, device: Device | None) -> tuple[str, ...]:
        if device is None:
            return ()
        serves = self._nodes[device].serves
        return (device.zone,) if serves is None else serves
