"""The meter tree: who hangs below whom, and whose seats a node serves."""

from collections.abc import Iterable
from dataclasses import dataclass

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
    seat_zones: tuple[str, ...]
    """Zones whose metered seats hang directly below it."""
    zones: tuple[str, ...]
    """Zones it serves: its own or those it names, and those its children serve."""
    rooms: tuple[str, ...]
    """Zones whose bookings concern it: its own, or those it names."""

    @property
    def name(self) -> str:
        """`supply`, or kind/zone/device."""
        return SUPPLY if self.device is None else str(self.device)


def branches_of(site: Site, seat_zones: Iterable[str]) -> tuple[Branch, ...]:
    """Metered nodes bottom-up, each after all that hang below it, the supply last.

    `seat_zones` are those with a seat that reports energy. A node without a meter passes its
    children through. InputError without a source.
    """
    if all(node.source is None for node in site.nodes):
        raise InputError("meters", "no meter is a source", "at least one with source: grid")
    return tuple(_Tree(site, tuple(seat_zones)).bottom_up(None))


class _Tree:
    def __init__(self, site: Site, seat_zones: tuple[str, ...]) -> None:
        self._site = site
        self._below: dict[Device | None, list[Node]] = {}
        for node in site.nodes:
            if node.source is None:
                self._below.setdefault(node.parent, []).append(node)
        self._seat_zones: dict[Device | None, list[str]] = {}
        parents = site.seat_meters or SeatMeters()
        for zone in seat_zones:
            self._seat_zones.setdefault(parents.parent_in(zone), []).append(zone)
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
        nodes, seat_zones = self._metered_below(device)
        zones = tuple(dict.fromkeys(self._served(device))) if device is not None else ()
        rooms = () if device is None else self._own_zones(device) or (device.zone,)
        return Branch(device, share, storage, tuple(nodes), tuple(seat_zones), zones, rooms)

    def _metered_below(self, device: Device | None) -> tuple[list[Device], list[str]]:
        nodes, zones = [], list(self._seat_zones.get(device, []))
        for node in self._below.get(device, []):
            if node.metered:
                nodes.append(node.device)
            else:
                more, more_zones = self._metered_below(node.device)
                nodes, zones = nodes + more, zones + more_zones
        return nodes, zones

    def _served(self, device: Device) -> list[str]:
        zones = [*self._own_zones(device), *self._seat_zones.get(device, [])]
        for node in self._below.get(device, []):
            zones += self._served(node.device)
        return zones

    def _own_zones(self, device: Device) -> tuple[str, ...]:
        serves = self._nodes[device].serves
        return (device.zone,) if serves is None else serves
