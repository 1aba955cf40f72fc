"""Who holds which seat when: leases by date and by weekly shift, to the millisecond."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from seatwatt.billing.exact import Ints
from seatwatt.billing.result import Seat
from seatwatt.billing.spans import Spans
from seatwatt.contract.errors import ConflictError
from seatwatt.contract.intervals import IntervalGrid
from seatwatt.contract.leases import Lease, Shift
from seatwatt.contract.leasetimes import lease_span_ms, local_date, occurrence_ms
from seatwatt.contract.site import Site

MIXED = -1
"""In `Holding.holder`: several parties hold parts of the interval."""


@dataclass(frozen=True, slots=True, eq=False)
class Claim:
    """One lease on one place during the period."""

    place: int
    party: int
    spans: Spans


@dataclass(frozen=True, slots=True, eq=False)
class Holding:
    """Holders of places by interval. A place is a seat, or a room without seats that a lease
    takes whole, written (zone, "").

    `holder` [places, n] is the party that holds the whole interval (the operator where it is
    vacant) or MIXED; a mixed cell's milliseconds by party are a row of `mixed_ms`.
    """

    places: tuple[Seat, ...]
    parties: tuple[str, ...]
    lengths_ms: Ints
    holder: Ints
    mixed_place: Ints
    mixed_interval: Ints
    mixed_ms: Ints
    claims: tuple[Claim, ...]

    def held_ms(self, places: Ints) -> Ints:
        """[n, parties]: time held of these places together; vacant time is the operator's."""
        intervals, parties = len(self.lengths_ms), len(self.parties)
        rows = self.holder[places]
        cells = (np.arange(intervals) * parties + rows)[rows != MIXED]
        counts = np.bincount(cells, minlength=intervals * parties).reshape(intervals, parties)
        held: Ints = counts * self.lengths_ms[:, None]
        mixed = np.isin(self.mixed_place, places)
        np.add.at(held, self.mixed_interval[mixed], self.mixed_ms[mixed])
        return held

    def held_in_period_ms(self) -> Ints:
        """[places, parties]: time held of each place over the whole period."""
        held = np.zeros((len(self.places), len(self.parties)), dtype=np.int64)
        place, interval = np.nonzero(self.holder != MIXED)
        np.add.at(held, (place, self.holder[place, interval]), self.lengths_ms[interval])
        np.add.at(held, self.mixed_place, self.mixed_ms)
        return held


def holding_of(site: Site, grid: IntervalGrid, parties: tuple[str, ...]) -> Holding:
    """Holders of every place of the site. ConflictError when a place is held twice at once."""
    boundaries = np.array(grid.boundaries_ms, dtype=np.int64)
    places = places_of(site)
    claims = _claims(site, grid, places, parties)
    holder = np.full((len(places), len(grid)), len(parties) - 1, dtype=np.int64)
    partial = _paint(holder, claims, boundaries, places, len(parties) - 1)
    mixed = _mixed(partial, holder, np.diff(boundaries), places, len(parties))
    return Holding(places, parties, np.diff(boundaries), holder, *mixed, claims)


def places_of(site: Site) -> tuple[Seat, ...]:
    """All seats in declared order, then rooms without seats that some lease takes whole."""
    seats = [(zone.name, seat) for zone in site.zones for seat in zone.seats]
    whole = {zone for lease in site.leases for zone in lease.zones}
    rooms = [(zone.name, "") for zone in site.zones if not zone.seats and zone.name in whole]
    return (*seats, *rooms)


def _claims(site: Site, grid: IntervalGrid, places: tuple[Seat, ...],
            parties: tuple[str, ...]) -> tuple[Claim, ...]:
    position = {place: index for index, place in enumerate(places)}
    in_zone: dict[str, list[Seat]] = {}
    for place in places:
        in_zone.setdefault(place[0], []).append(place)
    calendar = _Calendar(grid)
    claims = []
    for lease in site.leases:
        spans = calendar.spans(lease)
        if len(spans.starts_ms):
            whole = [place for zone in lease.zones for place in in_zone[zone]]
            party = parties.index(lease.tenant)
            claims += [Claim(position[place], party, spans)
                       for place in dict.fromkeys([*lease.seats, *whole])]
    return tuple(claims)


class _Calendar:
    """Spans of leases inside the period; leases of one shift and span share one object."""

    def __init__(self, grid: IntervalGrid) -> None:
        self._grid = grid
        self._shifts: dict[Shift | None, Spans] = {
            None: Spans.of([(grid.start_ms, grid.end_ms)])}
        self._spans: dict[tuple[Shift | None, int, int], Spans] = {}

    def spans(self, lease: Lease) -> Spans:
        """When the lease holds: its shift (always, without one) within [from, to)."""
        from_ms, to_ms = lease_span_ms(lease, self._grid.zone)
        low, high = max(from_ms, self._grid.start_ms), min(to_ms, self._grid.end_ms)
        key = (lease.shift, low, high)
        if key not in self._spans:
            self._spans[key] = self._of(lease.shift).within(low, high)
        return self._spans[key]

    def _of(self, shift: Shift | None) -> Spans:
        if shift is not None and shift not in self._shifts:
            self._shifts[shift] = _shift_spans(shift, self._grid)
        return self._shifts[shift]


def _shift_spans(shift: Shift, grid: IntervalGrid) -> Spans:
    day = local_date(grid.start_ms, grid.zone) - timedelta(days=1)
    last = local_date(grid.end_ms, grid.zone)
    spans = []
    while day <= last:
        if day.weekday() in shift.days:
            spans.append(occurrence_ms(shift, day, grid.zone))
        day += timedelta(days=1)
    return Spans.of([(start, end) for start, end in spans if start < end])


def _paint(holder: Ints, claims: tuple[Claim, ...], boundaries: Ints, places: tuple[Seat, ...],
           vacant: int) -> list[tuple[int, int, Ints, Ints]]:
    """Write whole intervals into `holder`; give back (place, party, intervals, ms) of the rest."""
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
            partial.append((claim.place, claim.party, some, part_ms))
    return partial


def _mixed(partial: list[tuple[int, int, Ints, Ints]], holder: Ints, lengths: Ints,
           places: tuple[Seat, ...], parties: int) -> tuple[Ints, Ints, Ints]:
    """Cells that several parties hold; marks them in `holder`. Time left over is vacant."""
    empty = np.zeros(0, dtype=np.int64)
    cell = np.concatenate([empty, *(place * len(lengths) + some for place, _, some, _ in partial)])
    party = np.concatenate([empty, *(np.full(len(some), who) for _, who, some, _ in partial)])
    part_ms = np.concatenate([empty, *(held for *_, held in partial)])
    cells, row = np.unique(cell, return_inverse=True)
    place, interval = np.divmod(cells, max(len(lengths), 1))
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
