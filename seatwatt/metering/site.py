"""Energies of a whole site: its meter tree walked from the sources down."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from seatwatt.contract.devices import Device
from seatwatt.contract.intervals import IntervalGrid
from seatwatt.contract.site import SUPPLY, Exchange, Node, SeatMeters, Site
from seatwatt.metering.curve import Curve, register_curve
from seatwatt.metering.energy import MeterEnergy, Quality
from seatwatt.metering.meter import curve_energy
from seatwatt.metering.registers import MeterRules, RegisterColumn
from seatwatt.metering.shape import Shape

IMPORT, EXPORT, SEAT_ENERGY = "energy_import", "energy_export", "energy"

Registers = Mapping[tuple[Device, str], RegisterColumn]
"""(device, quantity name) -> its readings: `energy_import` and `energy_export` of meters,
`energy` of seats."""


def site_energy(site: Site, grid: IntervalGrid, registers: Registers) -> dict[Device, MeterEnergy]:
    """Energy of every metered node, and of every declared seat that has readings.

    A metered node without readings is all missing (R01). A gap takes the shape of the nearest
    metered node above it, or of the supply. Readings of other devices are left alone. InputError
    for values that are no register readings.
    """
    walk = _Walk(site, grid, registers)
    sources = [node for node in site.nodes if node.source]
    for node in sources:
        walk.source(node)
    walk.close_supply(sources)
    for node in _top_down(site.nodes):
        walk.node(node)
    walk.seats()
    return walk.energies


def _top_down(nodes: Sequence[Node]) -> Iterator[Node]:
    """The nodes that are no sources, each after its parent (a Site has neither unknown parents
    nor cycles)."""
    below: dict[Device | None, list[Node]] = {}
    for node in nodes:
        if not node.source:
            below.setdefault(node.parent, []).append(node)
    ready = below.get(None, [])
    while ready:
        yield from ready
        ready = [child for node in ready for child in below.get(node.device, ())]


@dataclass(slots=True)
class _Walk:
    """What is known so far: energies, and the shape that children of each node may borrow."""

    site: Site
    grid: IntervalGrid
    registers: Registers
    energies: dict[Device, MeterEnergy] = field(default_factory=dict)
    shapes: dict[Device | None, Shape] = field(default_factory=dict)

    def source(self, node: Node) -> None:
        """A source has no parent; a grid counts import minus export, where it has an export."""
        curves = [(1, self._curve(node.device, IMPORT, node))]
        if node.source == "grid" and len(self.registers.get((node.device, EXPORT), ())):
            curves.append((-1, self._curve(node.device, EXPORT, node)))
        parts = [curve_energy(node.device, curve, self.grid, None, label)
                 for (_, curve), label in zip(curves, ("", "export register"), strict=False)]
        self.shapes[node.device] = Shape(str(node.device), tuple(curves))
        self.energies[node.device] = parts[0] if len(parts) == 1 else _net(*parts)

    def close_supply(self, sources: Sequence[Node]) -> None:
        """The supply's shape is the sum of its sources."""
        terms = [term for node in sources for term in self.shapes[node.device].terms]
        self.shapes[None] = Shape(SUPPLY, tuple(terms))

    def node(self, node: Node) -> None:
        """A node without a meter of its own lends its parent's shape to its children."""
        above = self.shapes[node.parent]
        if not node.metered:
            self.shapes[node.device] = above
            return
        curve = self._curve(node.device, register_name(node.device), node)
        self.energies[node.device] = curve_energy(node.device, curve, self.grid, above)
        self.shapes[node.device] = Shape(str(node.device), ((1, curve),))

    def seats(self) -> None:
        """Seats that report energy; without `seat_meters` none are counted."""
        declared = self.site.seat_meters
        if declared is None:
            return
        for zone in self.site.zones:
            for name in zone.seats:
                seat = Device("seat", zone.name, name)
                if (seat, SEAT_ENERGY) in self.registers:
                    above = self.shapes[declared.parent_in(zone.name)]
                    curve = self._curve(seat, SEAT_ENERGY, declared)
                    self.energies[seat] = curve_energy(seat, curve, self.grid, above)

    def _curve(self, device: Device, quantity: str, declared: Node | SeatMeters) -> Curve:
        rules = meter_rules(declared, self.site.max_gap_s)
        column = self.registers.get((device, quantity), _NOTHING)
        exchanges = [known for known in self.site.exchanges
                     if known.meter == device and self._concerns(known, quantity, column)]
        accepted = [word for word in self.site.acceptances if word.meter == device]
        return register_curve(device, column, rules, exchanges, accepted)

    def _concerns(self, exchange: Exchange, quantity: str, column: RegisterColumn) -> bool:
        """Whether an exchange is one of this register, in the period or between its readings.

        Of others, years ago or mistyped, nothing is known on one side: they must not bracket the
        period with a declared reading."""
        if quantity != (exchange.quantity or register_name(exchange.meter)):
            return False
        if self.grid.start_ms <= exchange.at_ms <= self.grid.end_ms:
            return True
        return len(column) > 0 and bool(
            column.times_ms.min() <= exchange.at_ms <= column.times_ms.max())


def meter_rules(declared: Node | SeatMeters, max_gap_s: int) -> MeterRules:
    """What is declared of a node's register, or of each seat's."""
    return MeterRules(max_power_w=declared.max_power_w, modulus_wh=declared.register_modulus_wh,
                      multiplier=declared.multiplier, max_gap_ms=max_gap_s * 1000)


_NOTHING = RegisterColumn(np.empty(0, np.int64), np.empty(0, np.float64))


def register_name(device: Device) -> str:
    """The quantity whose register counts a device's use."""
    return SEAT_ENERGY if device.kind == "seat" else IMPORT


def _net(imported: MeterEnergy, exported: MeterEnergy) -> MeterEnergy:
    """Import minus export; an interval is as good as the worse of the two."""
    quality = np.maximum(imported.quality, exported.quality)
    energy = np.where(quality == Quality.MISSING, 0,
                      imported.energy_milliwh - exported.energy_milliwh)
    return MeterEnergy(imported.device, energy, quality, imported.opening, imported.closing,
                       imported.findings + exported.findings, (imported, exported))
