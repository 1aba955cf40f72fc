"""What leases claim during a period: places, and the moments of each claim."""

from dataclasses import dataclass
from datetime import timedelta

from seatwatt.billing.result import Seat
from seatwatt.billing.spans import Spans
from seatwatt.contract.intervals import IntervalGrid
from seatwatt.contract.leases import Lease, Shift
from seatwatt.contract.leasetimes import lease_span_ms, local_date, occurrence_ms
from seatwatt.contract.site import Site


@dataclass(frozen=True, slots=True, eq=False)
class Claim:
    """One lease on one place; `place` and `party` are positions. Never without a moment."""

    place: int
    party: int
    spans: Spans


def places_of(site: Site) -> tuple[Seat, ...]:
    """All seats in declared order, then rooms without seats that some lease takes whole."""
    seats = [(zone.name, seat) for zone in site.zones for seat in zone.seats]
    whole = {zone for lease in site.leases for zone in lease.zones}
    rooms = [(zone.name, "") for zone in site.zones if not zone.seats and zone.name in whole]
    return (*seats, *rooms)


def claims_of(site: Site, grid: IntervalGrid, places: tuple[Seat, ...], parties: tuple[str, ...]
              ) -> tuple[Claim, ...]:
    """The claims of all leases that hold at some moment of the grid's period."""
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
