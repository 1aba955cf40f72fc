"""Whether two leases claim the same seat at the same moment, and the first such moment.

Seats with the same set of leases are judged once, pairs once, and only pairs whose spans meet.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from seatwatt.contract.errors import ConflictError, InputError
from seatwatt.contract.leasetimes import held_spans_ms, lease_span_ms, local_date

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from seatwatt.contract.leases import Lease, Shift
    from seatwatt.contract.site import Site

_DAY_MS = 86_400_000
_WEEK_S = 7 * 86_400
_SEARCH_MS = 36 * _DAY_MS
"""Shifts that meet in the pattern of a week meet within five weeks of their common start."""
_YEARS_MS = 400 * _DAY_MS
"""How long after the last lease's start changes of the clock are looked at: they recur yearly."""

Pair = tuple[int, int, int]
"""First common moment (UTC milliseconds), and the two leases' positions."""


def iso(at_ms: int, site: Site) -> str:
    """An instant as the site's local time with its offset."""
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)
    return at.astimezone(site.time_zone).isoformat()


def check_leases_apart(site: Site) -> None:
    """ConflictError naming both leases, the seat and the first moment that both claim."""
    spans = [lease_span_ms(lease, site.time_zone) for lease in site.leases]
    for index, (from_ms, to_ms) in enumerate(spans):
        if from_ms >= to_ms:
            raise InputError(f"leases[{index}].from", "from is not before to", "from before to")
    search = _Search(site, spans)
    found: tuple[Pair, str] | None = None
    for claims, seat in _claims(site).items():
        pair = search.first(claims, found[0][0] if found else None)
        if pair is not None:
            found = pair, seat
    if found is not None:
        raise _conflict(site, *found)


def _claims(site: Site) -> dict[tuple[int, ...], str]:
    """Sets of leases that claim one seat -> the first such seat; a room without seats is one."""
    places = {zone.name: zone.seats or ("",) for zone in site.zones}
    claims: dict[tuple[str, str], list[int]] = {}
    for index, lease in enumerate(site.leases):
        whole = [(zone, seat) for zone in lease.zones for seat in places[zone]]
        for place in dict.fromkeys([*lease.seats, *whole]):
            claims.setdefault(place, []).append(index)
    by_set: dict[tuple[int, ...], str] = {}
    for (zone, seat), leases in claims.items():
        if len(leases) > 1:
            by_set.setdefault(tuple(leases), f"{zone}/{seat}" if seat else zone)
    return by_set


def _conflict(site: Site, pair: Pair, seat: str) -> ConflictError:
    at_ms, *both = pair
    one, two = (site.leases[index].label or f"leases[{index}]" for index in both)
    tenants = " and ".join(site.leases[index].tenant for index in both)
    return ConflictError(f"leases[{both[1]}].seats",
                         f"{one} and {two} ({tenants}) both claim {seat} from {iso(at_ms, site)}",
                         "one holder of a seat at any moment")


class _Search:
    """First common moments of pairs of leases; each pair is computed once."""

    def __init__(self, site: Site, spans: list[tuple[int, int]]) -> None:
        self._leases, self._zone, self._spans = site.leases, site.time_zone, spans
        self._pairs: dict[tuple[int, int], int | None] = {}
        self._weeks: dict[Shift, list[tuple[int, int]]] = {}
        self._jumps = _clock_changes(self._shift_spans(), self._zone)

    def _shift_spans(self) -> list[tuple[int, int]]:
        return [span for span, lease in zip(self._spans, self._leases, strict=True) if lease.shift]

    def first(self, claims: Iterable[int], before_ms: int | None) -> Pair | None:
        """The earliest common moment of any two of `claims`, if before `before_ms`."""
        best: Pair | None = None
        active: list[int] = []
        for new in sorted(claims, key=lambda index: self._spans[index]):
            from_ms = self._spans[new][0]
            if before_ms is not None and from_ms >= before_ms:
                break
            active = [index for index in active if self._spans[index][1] > from_ms]
            for old in active:
                at_ms = self._pair(min(old, new), max(old, new))
                if at_ms is not None and (before_ms is None or at_ms < before_ms):
                    best, before_ms = (at_ms, min(old, new), max(old, new)), at_ms
                    if at_ms == from_ms:
                        break
            active.append(new)
        return best

    def _pair(self, one: int, two: int) -> int | None:
        key = (one, two)
        if key not in self._pairs:
            start_ms = max(self._spans[one][0], self._spans[two][0])
            end_ms = min(self._spans[one][1], self._spans[two][1])
            self._pairs[key] = self._meet(self._leases[one], self._leases[two], start_ms, end_ms)
        return self._pairs[key]

    def _meet(self, one: Lease, two: Lease, start_ms: int, end_ms: int) -> int | None:
        if one.shift is None and two.shift is None:
            return start_ms
        if one.shift is None or two.shift is None or self._weeks_meet(one.shift, two.shift):
            return self._first_common(one, two, start_ms, min(end_ms, start_ms + _SEARCH_MS))
        # Apart in every ordinary week: only a local time that a jump of the clock skips can clash.
        for jump_ms in self._jumps:
            low, high = max(start_ms, jump_ms - _DAY_MS), min(end_ms, jump_ms + 2 * _DAY_MS)
            if low < high and (at_ms := self._first_common(one, two, low, high)) is not None:
                return at_ms
        return None

    def _first_common(self, one: Lease, two: Lease, start_ms: int, end_ms: int) -> int | None:
        spans = [list(held_spans_ms(lease, self._zone, start_ms, end_ms)) for lease in (one, two)]
        common = [max(a, c) for a, b in spans[0] for c, d in spans[1] if max(a, c) < min(b, d)]
        return min(common, default=None)

    def _weeks_meet(self, one: Shift, two: Shift) -> bool:
        return any(max(a, c) < min(b, d)
                   for a, b in self._week(one) for c, d in self._week(two))

    def _week(self, shift: Shift) -> list[tuple[int, int]]:
        if shift not in self._weeks:
            self._weeks[shift] = _week_pattern(shift)
        return self._weeks[shift]


def _week_pattern(shift: Shift) -> list[tuple[int, int]]:
    """The shift's spans in seconds of a local week, those past Sunday's end wrapped around."""
    start_s, end_s = (at.hour * 3600 + at.minute * 60 + at.second
                      for at in (shift.start, shift.end))
    length_s = end_s - start_s + (0 if end_s > start_s else 86_400)
    spans = []
    for day in shift.days:
        begin = day * 86_400 + start_s
        spans.append((begin, min(begin + length_s, _WEEK_S)))
        if begin + length_s > _WEEK_S:
            spans.append((0, begin + length_s - _WEEK_S))
    return spans


def _clock_changes(spans: list[tuple[int, int]], zone: ZoneInfo) -> list[int]:
    """Local midnights (UTC milliseconds) of the days in which the zone's clock is changed."""
    if not spans:
        return []
    day_ms = min(start for start, _ in spans) - _DAY_MS
    last_ms = max(start for start, _ in spans) + _YEARS_MS
    day = datetime.combine(local_date(day_ms, zone), datetime.min.time(), tzinfo=zone)
    changes = []
    while day.timestamp() * 1000 <= last_ms:
        after = day + timedelta(days=1)
        if after.utcoffset() != day.utcoffset():
            changes.append(round(day.timestamp() * 1000))
        day = after
    return changes
