"""Direct energy: what each seat took goes to whoever held it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seatwatt.billing.exact import Ints, split_groups
from seatwatt.billing.holders import Holding
from seatwatt.billing.result import SeatTable
from seatwatt.contract.devices import Device
from seatwatt.metering.energy import MeterEnergy, Quality


@dataclass(frozen=True, slots=True, eq=False)
class SeatEnergies:
    """Energy of the places of `holding` (a room without seats has none of its own).

    `mixed` is what each entry of `holding.mixed` gets; `direct` [zones, n, parties] is everything
    by zone and holder. `estimated` and `estimated_mixed` are `energy` and `mixed` in estimated
    intervals, 0 elsewhere.
    """

    holding: Holding
    has_meter: NDArray[np.bool_]
    energy: Ints
    mixed: Ints
    direct: Ints
    estimated: Ints
    estimated_mixed: Ints

    def metered_zones(self) -> list[str]:
        """Zones with a seat that reports energy."""
        return [self.holding.zones[at] for at in np.unique(self.holding.zone_of[self.has_meter])]

    def direct_in(self, zones: Iterable[str]) -> Ints:
        """[n, parties]: what the seats of these zones took, by holder."""
        at = [self.holding.zones.index(zone) for zone in zones]
        direct: Ints = self.direct[at].sum(axis=0)
        return direct

    def direct_estimated(self) -> Ints:
        """[n, parties]: the part of all direct energy that lies in estimated intervals."""
        estimated: Ints = self.holding.by_zone(
            self.estimated, self.estimated_mixed).sum(axis=0)
        return estimated

    def table(self) -> SeatTable:
        """Each seat's energy, and by party over the period."""
        held = np.broadcast_to(self.holding.lengths_ms, self.energy.shape)
        seats = tuple(place for place in self.holding.places if place[1])
        count, by_place = len(seats), self.holding.by_place
        return SeatTable(seats, self.has_meter[:count], self.energy[:count],
                         by_place(self.energy, self.mixed)[:count],
                         by_place(self.estimated, self.estimated_mixed)[:count],
                         by_place(held, self.holding.mixed.held_ms)[:count])


def seat_energies(holding: Holding, energies: Mapping[Device, MeterEnergy]) -> SeatEnergies:
    """Gather the seats' energies; a seat that is not declared is not part of the site, and what
    it took stays in the residual of its board."""
    shape = len(holding.places), len(holding.lengths_ms)
    energy, quality = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.uint8)
    has_meter = np.zeros(len(holding.places), dtype=np.bool_)
    for at, (zone, name) in enumerate(holding.places):
        meter = energies.get(Device("seat", zone, name)) if name else None
        if meter is not None:
            has_meter[at], energy[at], quality[at] = True, meter.energy_milliwh, meter.quality
    estimated = energy * (quality == Quality.ESTIMATED)
    shared = holding.mixed
    cells = shared.place, shared.interval
    mixed = split_groups(energy[cells], shared.held_ms, shared.cell)
    return SeatEnergies(holding, has_meter, energy, mixed, holding.by_zone(energy, mixed),
                        estimated, np.where(estimated[cells] != 0, mixed, 0))
