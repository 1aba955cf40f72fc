"""Registers that speak and are not declared: what they count stays in what is above them."""

from collections.abc import Iterator

from seatwatt.contract.devices import Device
from seatwatt.contract.findings import Finding
from seatwatt.contract.intervals import IntervalGrid
from seatwatt.contract.quantities import quantity
from seatwatt.contract.rules import Rule
from seatwatt.contract.site import Site
from seatwatt.settlement.readings import REGISTERS
from seatwatt.store.ports import Reader


def declared_registers(site: Site) -> set[Device]:
    """Metered nodes, and every seat where seats report energy."""
    known = {node.device for node in site.nodes if node.metered}
    if site.seat_meters is not None:
        known |= {Device("seat", zone.name, seat) for zone in site.zones for seat in zone.seats}
    return known


def undeclared_registers(site: Site, reader: Reader, grid: IntervalGrid) -> list[Finding]:
    """B04 for each register read in the period that the site does not declare."""
    return sorted(_found(site, reader, grid), key=lambda found: (found.subject, found.detail))


def _found(site: Site, reader: Reader, grid: IntervalGrid) -> Iterator[Finding]:
    strange = set(reader.devices(site.id)) - declared_registers(site)
    for kind, name in REGISTERS:
        devices = sorted(device for device in strange if device.kind == kind)
        columns = reader.columns(site.id, quantity(kind, name), grid.start_ms, grid.end_ms,
                                 devices) if devices else {}
        for device, column in columns.items():
            count = len(column.times_ms)
            yield Finding(Rule.B04, str(device), int(column.times_ms[0]),
                          int(column.times_ms[-1]), f"{count} reading{'s' * (count != 1)} of "
                          f"{name}; their energy stays in what is above it")
