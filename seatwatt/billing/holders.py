"""Who holds which seat when: leases by date and by weekly shift, to the millisecond."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from seatwatt.billing.claims import Claim, claims_of, places_of
from seatwatt.billing.exact import Ints
from seatwatt.billing.result import Seat
from seatwatt.contract.errors import ConflictError
from seatwatt.contract.intervals import IntervalGrid
from seatwatt.contract.site import Site

MIXED = -1
"""In `Holding.holder`: several parties hold parts of the interval."""


@dataclass(frozen=True, eq=False)
class Holding:
    """Holders of places by interval. A place is a seat, or a room without seats that a lease
    takes whole, written (zone, ""); the places of a zone stand together.

    `holder` [places, n] is the party that holds the whole interval (the operator where it is
    vacant) or MIXED; a mixed cell's milliseconds by party are a row of `mixed_ms`.
    """

    places: tuple[Seat, ...]
    parties: tuple[str, ...]
    lengths_ms: Ints
    holder: NDArray[np.int16]
    mixed_place: Ints
    mixed_interval: Ints
    mixed_ms: Ints
    claims: tuple[Claim, ...]

    @cached_property
    def zones(self) -> tuple[str, ...]:
        """Zones that have places, in the order of the places."""
        return tuple(zone for zone, _ in groupby(zone for zone, _ in self.places))

    @cached_property
    def zone_of(self) -> Ints:
        """[places]: index into `zones`."""
        return np.array([self.zones.index(zone) for zone, _ in self.places], dtype=np.int64)

    def by_zone(self, cells: Ints, mixed: Ints) -> Ints:
        """[zones, n, parties]: `cells` [places, n] summed by whole holder, and `mixed`
        [mixed cells, parties] where there are several."""
        sums = np.zeros((len(self.parties), len(self.zones), len(self.lengths_ms)), dtype=np.int64)
        for party, rows, values in self._held_cells(cells):
            zones, starts = np.unique(self.zone_of[rows], return_index=True)
            sums[party, zones] = np.add.reduceat(values, starts, axis=0)
        cell, who = np.nonzero(mixed)
        place, interval = self.mixed_place[cell], self.mixed_interval[cell]
        np.add.at(sums, (who, self.zone_of[place], interval), mixed[cell, who])
        return np.ascontiguousarray(sums.transpose(1, 2, 0))

    def by_place(self, cells: Ints, mixed: Ints) -> Ints:
        """[places, parties]: as `by_zone`, summed over the period."""
        sums = np.zeros((len(self.places), len(self.parties)), dtype=np.int64)
        for party, rows, values in self._held_cells(cells):
            sums[rows, party] = values.sum(axis=1)
        cell, who = np.nonzero(mixed)
        np.add.at(sums, (self.mixed_place[cell], who), mixed[cell, who])
        return sums

    def _held_cells(self, cells: Ints) -> Iterator[tuple[int, Ints, Ints]]:
        """Each party, places it holds, and their cells, 0 where another holds the interval."""
        some: NDArray[np.bool_] = np.any(cells != 0, axis=1)
        for party, rows, mask in self._presence:
            kept = some[rows]
            if kept.any():
                yield party, rows[kept], cells[rows[kept]] * mask[kept]

    @cached_property
    def _presence(self) -> list[tuple[int, Ints, NDArray[np.bool_]]]:
        """Each party with the places it holds for some whole interval, and in which."""
        return list(self._find_presence())

    def _find_presence(self) -> Iterator[tuple[int, Ints, NDArray[np.bool_]]]:
        operator = len(self.parties) - 1
        claimed: dict[int, set[int]] = {}
        for claim in self.claims:
            claimed.setdefault(claim.party, set()).add(claim.place)
        for party, places in sorted(claimed.items()):
            rows = np.array(sorted(places), dtype=np.int64)
            yield party, rows, self.holder[rows] == party
        if self.places:
            yield operator, np.arange(len(self.places)), self.holder == operator


def holding_of(site: Site, grid: IntervalGrid, parties: tuple[str, ...]) -> Holding:
    """Holders of every place of the site. ConflictError when a place is held twice at once."""
    boundaries = np.array(grid.boundaries_ms, dtype=np.int64)
    places = places_of(site)
    claims = claims_of(site, grid, places, parties)
    holder = np.full((len(places), len(grid)), len(parties) - 1, dtype=np.int16)
    partial = _paint(holder, claims, boundaries, places, len(parties) - 1)
    mixed = _mixed(partial, holder, np.diff(boundaries), places, len(parties))
    return Holding(places, parties, np.diff(boundaries), holder, *mixed, claims)


_Partial = list[tuple[Claim, Ints, Ints]]
"""A claim, the intervals that it holds in part, and for how many milliseconds."""


def _paint(holder: NDArray[np.int16], claims: tuple[Claim, ...], boundaries: Ints,
           places: tuple[Seat, ...], vacant: int) -> _Partial:
    """Write whole intervals into `holder`; give back the rest."""
    lengths = np.diff(boundaries)
    known: dict[int, tuple[Ints, Ints, Ints]] = {}
    partial = []
    for claim in claims:
        if id(claim.spans) not in known:
            held = claim.spans.per_interval(boundaries)
            some = np.flatnonzero((held > 0) & (held < lengths))
            known[id(claim.spans)] = np.flatnonzero(held == lengths), some, held[some]
        full, some, part_ms = known[id(claim.spans)]
        if (holder[claim.place, full] != vacant).any():
            raise _twice(places[claim.place])
        holder[claim.place, full] = claim.party
        if len(some):
            partial.append((claim, some, part_ms))
    return partial


def _mixed(partial: _Partial, holder: NDArray[np.int16], lengths: Ints,
           places: tuple[Seat, ...], parties: int) -> tuple[Ints, Ints, Ints]:
    """Cells that several parties hold; marks them in `holder`. Time left over is vacant."""
    empty = np.zeros(0, dtype=np.int64)
    cell = np.concatenate([empty, *(claim.place * len(lengths) + some
                                    for claim, some, _ in partial)])
    party = np.repeat([claim.party for claim, _, _ in partial],
                      [len(some) for _, some, _ in partial]).astype(np.int64)
    part_ms = np.concatenate([empty, *(held for _, _, held in partial)])
    cells, row = np.unique(cell, return_inverse=True)
    place, interval = np.divmod(cells, len(lengths))
    held = np.zeros((len(cells), parties), dtype=np.int64)
    np.add.at(held, (row, party), part_ms)
    vacant = lengths[interval] - held.sum(axis=1)
    clash = (vacant < 0) | (holder[place, interval] != parties - 1)
    if clash.any():
        raise _twice(places[place[clash][0]])
    held[:, -1] += vacant
    holder[place, interval] = MIXED
    return place, interval, held


def _twice(place: Seat) -> ConflictError:
    return ConflictError("leases", f"{'/'.join(filter(None, place))} is held twice at once",
                         "one holder of a seat at any moment")
