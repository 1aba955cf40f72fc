"""What concerns several declarations of a site at once; each check is one clear line.

A place is written as in the site file: `leases[2].seats`, `meters.hall-a/board.parent`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from seatwatt.contract.errors import ConflictError, InputError
from seatwatt.contract.meters import check_reading
from seatwatt.contract.overlap import check_leases_apart, iso

if TYPE_CHECKING:
    from seatwatt.contract.devices import Device
    from seatwatt.contract.meters import Node, Share
    from seatwatt.contract.site import BandRule, Site, Zone


def check_site(site: Site) -> None:
    """Raise InputError (ConflictError for two that clash) for the first declaration at odds."""
    _check_unique(site)
    _check_bands(site.bands)
    _check_tree(site)
    _check_seat_parents(site)
    _check_shares(site)
    _check_registers(site)
    _check_leases(site)
    _check_bookings(site)


def node_key(device: Device) -> str:
    """How the site file writes a node: `zone/device`, with the kind unless it is a meter."""
    return f"{device.zone}/{device.name}" if device.kind == "meter" else str(device)


def some_names(names: Iterable[str]) -> str:
    """What was expected: the first dozen of the known names."""
    listed = list(names)
    return ", ".join(listed[:12]) + (" ..." if len(listed) > 12 else "") or "none is declared"


def _check_unique(site: Site) -> None:
    _unique("zones", (zone.name for zone in site.zones))
    _unique("meters", (node_key(node.device) for node in site.nodes))
    _unique("tenants", (tenant.id for tenant in site.tenants))
    _unique("leases", (lease.label for lease in site.leases if lease.label))
    _unique("bookings", (booking.label for booking in site.bookings if booking.label))
    _unique("exchanges", (" ".join(filter(None, (
        str(exchange.meter), exchange.quantity, "at", iso(exchange.at_ms, site))))
        for exchange in site.exchanges))


def _unique(where: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise InputError(where, f"{name} is declared twice", "each once")
        seen.add(name)


def _check_bands(bands: tuple[BandRule, ...]) -> None:
    claimed: dict[tuple[int, int, int], str] = {}
    for rule in bands:
        for slot in _band_slots(rule):
            if claimed.setdefault(slot, rule.band) != rule.band:
                month, day, half_hour = slot
                raise ConflictError(
                    f"bands.{rule.band}",
                    f"{rule.band} and {claimed[slot]} both claim {half_hour // 2:02}:"
                    f"{half_hour % 2 * 30:02} in month {month} on weekday {day + 1}",
                    "one band at a time")


def _band_slots(rule: BandRule) -> Iterator[tuple[int, int, int]]:
    start = rule.start.hour * 2 + rule.start.minute // 30
    end = rule.end.hour * 2 + rule.end.minute // 30
    last = end if end > start else end + 48
    for month in rule.months:
        for day in rule.days:
            for slot in range(start, last):
                yield month, (day + slot // 48) % 7, slot % 48


def _check_tree(site: Site) -> None:
    nodes = {node.device: node for node in site.nodes}
    for node in site.nodes:
        where = f"meters.{node_key(node.device)}"
        _check_parent(f"{where}.parent", node.parent, nodes)
        _check_zones(f"{where}.serves", node.serves or (), site)
        _check_no_cycle(where, node, nodes)


def _check_parent(where: str, parent: Device | None, nodes: dict[Device, Node]) -> None:
    if parent is None:
        return
    if parent not in nodes:
        raise InputError(where, f"{node_key(parent)} does not exist",
                         "supply, or one of " + some_names(map(node_key, nodes)))
    if nodes[parent].source is not None:
        raise InputError(where, f"{node_key(parent)} is a source: its energy is the supply's",
                         "supply, or a node that is no source")


def _check_no_cycle(where: str, node: Node, nodes: dict[Device, Node]) -> None:
    path = [node.device]
    parent = node.parent
    while parent is not None and parent in nodes:
        path.append(parent)
        if parent == node.device:
            chain = " -> ".join(map(node_key, path))
            raise InputError(f"{where}.parent", f"the meters form a cycle: {chain}", "a tree")
        if len(path) > len(nodes):
            return
        parent = nodes[parent].parent


def _check_zones(where: str, zones: Iterable[str], site: Site) -> None:
    known = {zone.name: None for zone in site.zones}
    for zone in zones:
        if zone not in known:
            raise InputError(where, f"zone {zone!r} does not exist", some_names(known))


def _check_seat_parents(site: Site) -> None:
    if site.seat_meters is None:
        return
    nodes = {node.device: node for node in site.nodes}
    for zone in site.zones:
        if zone.seats:
            parent = site.seat_meters.parent_in(zone.name)
            try:
                _check_parent("seat_meters.parent", parent, nodes)
            except InputError as error:
                raise InputError(error.where, f"for the seats of zone {zone.name}: "
                                 f"{error.problem}", error.expected) from None


def _check_shares(site: Site) -> None:
    for node in site.nodes:
        _check_share(f"meters.{node_key(node.device)}", node.share, site)
    _check_share("unaccounted", site.unaccounted.share, site)


def _check_share(where: str, share: Share, site: Site) -> None:
    parties = [tenant.id for tenant in site.tenants] + ["operator"]
    for party, _ in share.weights:
        if party not in parties:
            raise InputError(f"{where}.weights", f"tenant {party!r} does not exist",
                             some_names(parties))
    areas = any(zone.area_m2 is not None for zone in site.zones)
    if "area" in (share.rule, share.otherwise) and not areas:
        raise InputError(f"{where}.share", "area has no weights: no zone declares area_m2",
                         "area_m2 at the zones")


def _check_registers(site: Site) -> None:
    metered = {node.device for node in site.nodes if node.metered}
    seats = {(zone.name, seat) for zone in site.zones for seat in zone.seats}
    meters = {f"exchanges[{i}]": event.meter for i, event in enumerate(site.exchanges)}
    meters |= {f"acceptances[{i}]": event.meter for i, event in enumerate(site.acceptances)}
    for where, meter in meters.items():
        is_seat = meter.kind == "seat" and (meter.zone, meter.name) in seats
        if meter not in metered and not is_seat:
            raise InputError(f"{where}.meter", f"{meter} does not exist",
                             "a seat, or one of " + some_names(map(str, sorted(metered))))
    multipliers = {node.device: node.multiplier for node in site.nodes}
    of_seats = 1.0 if site.seat_meters is None else site.seat_meters.multiplier
    for index, exchange in enumerate(site.exchanges):
        for name in ("final_wh", "initial_wh"):
            check_reading(f"exchanges[{index}].{name}", getattr(exchange, name),
                          multipliers.get(exchange.meter, of_seats))


def _check_leases(site: Site) -> None:
    zones = {zone.name: (zone, frozenset(zone.seats)) for zone in site.zones}
    for index, lease in enumerate(site.leases):
        where = f"leases[{index}]"
        _check_tenant(where, lease.tenant, site)
        _check_zones(f"{where}.zones", lease.zones, site)
        _check_zones(f"{where}.seats", (zone for zone, _ in lease.seats), site)
        for zone, seat in lease.seats:
            if seat not in zones[zone][1]:
                raise no_such_seat(f"{where}.seats", zones[zone][0], seat)
    check_leases_apart(site)


def no_such_seat(where: str, zone: Zone, seat: str) -> InputError:
    """The error for a seat that its zone does not have."""
    known = f"{zone.seats[0]} to {zone.seats[-1]}" if zone.seats else "a zone with seats"
    return InputError(where, f"seat {zone.name}/{seat} does not exist", known)


def _check_tenant(where: str, tenant: str, site: Site) -> None:
    if all(tenant != each.id for each in site.tenants):
        raise InputError(f"{where}.tenant", f"tenant {tenant!r} does not exist",
                         some_names(each.id for each in site.tenants))


def _check_bookings(site: Site) -> None:
    for index, booking in enumerate(site.bookings):
        _check_tenant(f"bookings[{index}]", booking.tenant, site)
        _check_zones(f"bookings[{index}].zone", [booking.zone], site)
    order = sorted(range(len(site.bookings)), key=lambda i: (
        site.bookings[i].zone, site.bookings[i].from_ms))
    for first, second in pairwise(order):
        one, two = site.bookings[first], site.bookings[second]
        if one.zone == two.zone and two.from_ms < one.to_ms:
            raise ConflictError(
                f"bookings[{second}]",
                f"overlaps {one.label or f'bookings[{first}]'}: {two.tenant} and {one.tenant} both "
                f"have {two.zone} at {iso(two.from_ms, site)}", "bookings that do not overlap")
