"""Who holds which seat when: leases by date and by weekly shift, to the millisecond."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Self

import numpy as np
from numpy.typing import NDArray

from seatwatt.billing.claims import Claim, claims_of, places_of
from seatwatt.billing.exact import Ints
from seatwatt.billing.patterns import MIXED, Painter, Pattern, places_alike
from seatwatt.billing.result import Seat
from seatwatt.contract.errors import ConflictError
from seatwatt.contract.intervals import IntervalGrid
from seatwatt.contract.site import Site

__all__ = ["MIXED", "Holding", "holding_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Mixed:
    """Who holds the cells (a place in an interval) that several parties hold, and how long:
    arrays of one entry a cell and party, by cell and party. `cell` counts the cells up."""

    cell: Ints
    place: Ints
    interval: Ints
    party: Ints
    held_ms: Ints

    @classmethod
    def of(cls, pattern_of: Ints, patterns: Sequence[Pattern]) -> Self:
        """From each place's pattern."""
        none = np.zeros(0, dtype=np.int64)
        mine = [(at, patterns[pattern]) for at, pattern in enumerate(pattern_of.tolist())
                if len(patterns[pattern].interval)]
        place = np.repeat(np.array([at for at, _ in mine], dtype=np.int64),
                          [len(pattern.interval) for _, pattern in mine])
        interval, party, held_ms = (np.concatenate([none, *columns]) for columns in (
            [pattern.interval for _, pattern in mine], [pattern.party for _, pattern in mine],
            [pattern.held_ms for _, pattern in mine]))
        other = ((np.diff(place, prepend=place[:1]) != 0)
                 | (np.diff(interval, prepend=interval[:1]) != 0))
        return cls(np.cumsum(other), place, interval, party, held_ms)


@dataclass(frozen=True, eq=False)
class Holding:
    """Holders of places by interval. A place is a seat, or a room without seats that a lease
    takes whole, written (zone, ""); the places of a zone stand together.

    `pattern_of` [places] says which of `patterns` a place has; `mixed` where it is MIXED.
    """

    places: tuple[Seat, ...]
    parties: tuple[str, ...]
    lengths_ms: Ints
    pattern_of: Ints
    patterns: tuple[Pattern, ...]
    mixed: Mixed
    claims: tuple[Claim, ...]

    @cached_property
    def holder(self) -> NDArray[np.int16]:
        """[places, n]: the party that holds the whole interval, or MIXED."""
        holders = np.zeros((len(self.places), len(self.lengths_ms)), dtype=np.int16)
        for place, pattern in enumerate(self.pattern_of):
            holders[place] = self.patterns[pattern].holder
        return holders

    @cached_property
    def zones(self) -> tuple[str, ...]:
        """Zones that have places, in the order of the places."""
        return tuple(zone for zone, _ in groupby(zone for zone, _ in self.places))

    @cached_property
    def zone_of(self) -> Ints:
        """[places]: index into `zones`."""
        position = {zone: at for at, zone in enumerate(self.zones)}
        return np.array([position[zone] for zone, _ in self.places], dtype=np.int64)

    def by_zone(self, cells: Ints, mixed: Ints) -> Ints:
        """[zones, n, parties]: `cells` [places, n] summed by whole holder, and `mixed`, one value
        for each entry of `self.mixed`."""
        intervals = np.arange(len(self.lengths_ms))
        # MIXED, which is -1, is a row of its own at the end, and left out.
        sums = np.zeros((len(self.zones), len(self.parties) + 1, len(intervals)), dtype=np.int64)
        for places in _alike(self.zone_of * len(self.patterns) + self.pattern_of):
            holder = self.patterns[self.pattern_of[places[0]]].holder
            sums[self.zone_of[places[0]], holder, intervals] += cells[places].sum(axis=0)
        zone = self.zone_of[self.mixed.place]
        np.add.at(sums, (zone, self.mixed.party, self.mixed.interval), mixed)
        return np.ascontiguousarray(sums[:, :-1].transpose(0, 2, 1))

    def by_place(self, cells: Ints, mixed: Ints) -> Ints:
        """[places, parties]: as `by_zone`, summed over the period."""
        sums = np.zeros((len(self.places), len(self.parties) + 1), dtype=np.int64)
        for places in _alike(self.pattern_of):
            holder = self.patterns[self.pattern_of[places[0]]].holder
            starts = np.flatnonzero(np.diff(holder, prepend=holder[0] - 1))
            spells = np.add.reduceat(cells[places], starts, axis=1)
            np.add.at(sums, (places[:, None], holder[starts]), spells)
        np.add.at(sums, (self.mixed.place, self.mixed.party), mixed)
        return np.ascontiguousarray(sums[:, :-1])


def _alike(keys: Ints) -> list[Ints]:
    """Places of one key, together."""
    if not len(keys):
        return []
    order = np.argsort(keys, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(keys[order])) + 1)


def holding_of(site: Site, grid: IntervalGrid, parties: tuple[str, ...]) -> Holding:
    """Holders of every place of the site. ConflictError when a place is held twice at once."""
    boundaries = np.array(grid.boundaries_ms, dtype=np.int64)
    places = places_of(site)
    claims = claims_of(site, grid, places, parties)
    pattern_of, sets = places_alike(claims, len(places))
    painter = Painter(boundaries, len(parties))
    patterns = []
    for at, alike in enumerate(sets):
        pattern = painter.pattern(alike)
        if pattern is None:
            raise _twice(places[int(np.argmax(pattern_of == at))])
        patterns.append(pattern)
    return Holding(places, parties, np.diff(boundaries), pattern_of, tuple(patterns),
                   Mixed.of(pattern_of, patterns), claims)


def _twice(place: Seat) -> ConflictError:
    return ConflictError("leases", f"{'/'.join(filter(None, place))} is held twice at once",
                         "one holder of a seat at any moment")
