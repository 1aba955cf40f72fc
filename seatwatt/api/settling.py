"""A settlement as the routes want it: tables by meter, seat, zone and tenant, and the document."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from seatwatt.api.energy_table import EnergyTable
from seatwatt.contract.devices import Device
from seatwatt.contract.intervals import IntervalGrid
from seatwatt.contract.site import Site
from seatwatt.metering.energy import MeterEnergy, Quality
from seatwatt.settlement.document import document
from seatwatt.settlement.explained import explanation
from seatwatt.settlement.settle import Settlement
from seatwatt.settlement.settle import settle as settle_period
from seatwatt.settlement.sources import Source

UNACCOUNTED = "unaccounted"
"""The row beside the zones that makes them add up to the supply."""

_Rows = dict[str, tuple[NDArray[np.int64], NDArray[np.uint8]]]


def settle(site: Site, source: Source, start_ms: int, end_ms: int) -> "SettledPeriod":
    """Read the period and ask billing."""
    return SettledPeriod(settle_period(site, source, start_ms, end_ms))


@dataclass(frozen=True, slots=True, eq=False)
class SettledPeriod:
    """One settlement."""

    settlement: Settlement
    _tables: dict[str, EnergyTable] = field(default_factory=dict, init=False)

    @property
    def grid(self) -> IntervalGrid:
        """The intervals."""
        return self.settlement.grid

    def energy(self, by: str) -> EnergyTable:
        """Energy per interval by `meter`, `seat`, `zone` or `tenant`."""
        if by not in self._tables:
            self._tables[by] = self._table(by)
        return self._tables[by]

    def _table(self, by: str) -> EnergyTable:
        rows = {"meter": self._meters, "seat": self._seats, "zone": self._zones,
                "tenant": self._parties}[by]()
        size = (len(rows), len(self.grid))
        return EnergyTable(
            tuple(rows), self.grid.boundaries_ms,
            np.array([energy for energy, _ in rows.values()], dtype=np.int64).reshape(size),
            np.array([quality for _, quality in rows.values()], dtype=np.uint8).reshape(size))

    def document(self) -> dict[str, object]:
        """The object of `seatwatt apportion --json`."""
        return document(self.settlement)

    def explain(self, party: str) -> dict[str, object] | None:
        """How the party's total arises; None when there is no such party."""
        if party not in self.settlement.apportionment.parties:
            return None
        return explanation(self.settlement, party)

    def seats_of(self, party: str) -> EnergyTable:
        """What `party` took at each seat it held, over the whole period: another may have held
        the seat in the same interval, so only billing knows whose part is whose."""
        result = self.settlement.apportionment
        held = np.flatnonzero(result.seats.held_ms[:, result.parties.index(party)])
        ids = [f"seat/{zone}/{seat}" for zone, seat in (result.seats.seats[at] for at in held)]
        quality = np.array([max(self._quality(id_), default=0) for id_ in ids], dtype=np.uint8)
        energy = result.seats.by_party_milliwh[held, result.parties.index(party)]
        return EnergyTable(tuple(ids), (self.grid.start_ms, self.grid.end_ms),
                           energy.reshape(len(ids), 1), quality.reshape(len(ids), 1))

    def _meters(self) -> _Rows:
        return {str(device): _row(meter) for device, meter in self._energies()
                if device.kind != "seat"}

    def _seats(self) -> _Rows:
        return {str(device): _row(meter) for device, meter in self._energies()
                if device.kind == "seat"}

    def _energies(self) -> list[tuple[Device, MeterEnergy]]:
        return sorted(self.settlement.energies.items())

    def _zones(self) -> _Rows:
        """A zone's nodes' own residuals and its seats: what is used there, each watt-hour once."""
        rows = {zone.name: _empty(len(self.grid)) for zone in self.settlement.site.zones}
        for node in self.settlement.apportionment.nodes:
            zone = node.node.split("/")[1] if "/" in node.node else UNACCOUNTED
            _add(rows, zone, node.residual_milliwh, self._quality(node.node))
        seats = self.settlement.apportionment.seats
        for at, (zone, seat) in enumerate(seats.seats):
            _add(rows, zone, seats.energy_milliwh[at], self._quality(f"seat/{zone}/{seat}"))
        return rows

    def _quality(self, device: str) -> NDArray[np.uint8]:
        meter = None if "/" not in device else self.settlement.energies.get(Device.parse(device))
        return _empty(len(self.grid))[1] if meter is None else meter.quality

    def _parties(self) -> _Rows:
        """A party's interval is estimated where part of its energy is, and missing where the
        supply's is."""
        result = self.settlement.apportionment
        missing = self._supply_missing()
        rows: _Rows = {}
        for party in result.involved():
            at = result.parties.index(party)
            quality = np.where(result.estimated_milliwh[:, at] != 0, Quality.ESTIMATED,
                               Quality.MEASURED).astype(np.uint8)
            rows[party] = (result.energy_milliwh[:, at],
                           np.where(missing, np.uint8(Quality.MISSING), quality))
        return rows

    def _supply_missing(self) -> NDArray[np.bool_]:
        missing = np.zeros(len(self.grid), dtype=np.bool_)
        for node in self.settlement.site.nodes:
            if node.source and node.device in self.settlement.energies:
                missing |= self.settlement.energies[node.device].quality == Quality.MISSING
        return missing


def _row(meter: MeterEnergy) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    return meter.energy_milliwh, meter.quality


def _empty(length: int) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    return np.zeros(length, dtype=np.int64), np.zeros(length, dtype=np.uint8)


def _add(rows: _Rows, zone: str, energy: NDArray[np.int64], quality: NDArray[np.uint8]) -> None:
    so_far, worst = rows.get(zone) or _empty(len(energy))
    rows[zone] = so_far + energy, np.maximum(worst, quality)
