"""Direct energy: what each seat took goes to whoever held it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seatwatt.billing.exact import Ints, split_rows
from seatwatt.billing.holders import MIXED, Holding
from seatwatt.billing.result import Seat, SeatTable
from seatwatt.contract.devices import Device
from seatwatt.metering.energy import MeterEnergy, Quality


@dataclass(frozen=True, slots=True, eq=False)
class SeatEnergies:
    """Energy of the site's seats, and by party where the holder changes inside an interval.

    `mixed` [mixed cells, parties] belongs to the rows of `holding.mixed_ms`.
    """

    holding: Holding
    seats: tuple[Seat, ...]
    has_meter: NDArray[np.bool_]
    energy: Ints
    estimated: NDArray[np.bool_]
    mixed: Ints

    def metered(self) -> list[Seat]:
        """The seats that report energy."""
        return [seat for seat, has in zip(self.seats, self.has_meter.tolist(), strict=True) if has]

    def below(self, seats: Iterable[Seat]) -> Ints:
        """[n]: what these seats took together."""
        below: Ints = self.energy[self._positions(seats)].sum(axis=0)
        return below

    def direct(self, seats: Iterable[Seat]) -> Ints:
        """[n, parties]: what these seats took, by holder."""
        return self._by_holder(self._positions(seats), self.energy, self.mixed)

    def direct_estimated(self) -> Ints:
        """[n, parties]: the part of all direct energy that lies in estimated intervals."""
        everyone = np.arange(len(self.seats))
        return self._by_holder(everyone, self.energy * self.estimated, self._mixed_estimated())

    def table(self) -> SeatTable:
        """Each seat's energy, and by party over the period."""
        return SeatTable(self.seats, self.has_meter, self.energy,
                         self._by_party(self.energy, self.mixed),
                         self._by_party(self.energy * self.estimated, self._mixed_estimated()),
                         self.holding.held_in_period_ms()[:len(self.seats)])

    def _mixed_estimated(self) -> Ints:
        place, interval = self.holding.mixed_place, self.holding.mixed_interval
        mixed = self.mixed.copy()
        inside = place < len(self.seats)
        mixed[inside] *= self.estimated[place[inside], interval[inside]][:, None]
        return mixed

    def _by_party(self, energy: Ints, mixed: Ints) -> Ints:
        count = len(self.seats)
        by_party = np.zeros((count, len(self.holding.parties)), dtype=np.int64)
        holder = self.holding.holder[:count]
        seat, interval = np.nonzero((holder != MIXED) & (energy != 0))
        np.add.at(by_party, (seat, holder[seat, interval]), energy[seat, interval])
        inside = self.holding.mixed_place < count
        np.add.at(by_party, self.holding.mixed_place[inside], mixed[inside])
        return by_party

    def _positions(self, seats: Iterable[Seat]) -> Ints:
        position = {seat: at for at, seat in enumerate(self.seats)}
        return np.array([position[seat] for seat in seats], dtype=np.int64)

    def _by_holder(self, positions: Ints, energy: Ints, mixed: Ints) -> Ints:
        intervals, parties = len(self.holding.lengths_ms), len(self.holding.parties)
        direct = np.zeros(intervals * parties, dtype=np.int64)
        holder = self.holding.holder[positions]
        whole = holder != MIXED
        np.add.at(direct, (np.arange(intervals) * parties + holder)[whole],
                  energy[positions][whole])
        rows = np.isin(self.holding.mixed_place, positions)
        by_party = direct.reshape(intervals, parties)
        np.add.at(by_party, self.holding.mixed_interval[rows], mixed[rows])
        return by_party


def seat_energies(holding: Holding, energies: Mapping[Device, MeterEnergy]) -> SeatEnergies:
    """Gather the seats' energies; a seat that is not declared is not part of the site, and what
    it took stays in the residual of its board."""
    seats = tuple(place for place in holding.places if place[1])
    shape = len(seats), len(holding.lengths_ms)
    energy, estimated = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.bool_)
    has_meter = np.zeros(len(seats), dtype=np.bool_)
    for at, (zone, name) in enumerate(seats):
        meter = energies.get(Device("seat", zone, name))
        if meter is not None:
            has_meter[at] = True
            energy[at] = meter.energy_milliwh
            estimated[at] = meter.quality == Quality.ESTIMATED
    mixed = np.zeros_like(holding.mixed_ms)
    inside = holding.mixed_place < len(seats)
    mixed[inside] = split_rows(
        energy[holding.mixed_place[inside], holding.mixed_interval[inside]],
        holding.mixed_ms[inside])
    return SeatEnergies(holding, seats, has_meter, energy, estimated, mixed)
