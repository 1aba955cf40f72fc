"""When a lease holds: its span, and the occurrences of its shift, in UTC milliseconds."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from seatwatt.contract.intervals import instant_ms, to_ms
from seatwatt.contract.leases import Lease, Shift

FOREVER_MS = 253_402_300_800_000
"""The year 10000: where a lease without `to` ends."""


def local_date(at_ms: int, zone: ZoneInfo) -> date:
    """The local day in which an instant lies."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)
            ).astimezone(zone).date()


def lease_span_ms(lease: Lease, zone: ZoneInfo) -> tuple[int, int]:
    """[from, to) of the lease, whatever its shift."""
    to = FOREVER_MS if lease.to is None else instant_ms(lease.to, zone)
    return instant_ms(lease.from_, zone), to


def occurrence_ms(shift: Shift, day: date, zone: ZoneInfo) -> tuple[int, int]:
    """[start, end) of the shift that starts on `day`; may be empty where the clock jumps."""
    last = day if shift.end > shift.start else day + timedelta(days=1)
    return (to_ms(datetime.combine(day, shift.start, tzinfo=zone)),
            to_ms(datetime.combine(last, shift.end, tzinfo=zone)))


def held_spans_ms(lease: Lease, zone: ZoneInfo, start_ms: int, end_ms: int
                  ) -> Iterator[tuple[int, int]]:
    """The spans inside [start_ms, end_ms) in which the lease holds, rising, none empty: the
    shift's occurrences, cut at `from` and at `to`."""
    from_ms, to_ms_ = lease_span_ms(lease, zone)
    low, high = max(from_ms, start_ms), min(to_ms_, end_ms)
    if low >= high:
        return
    if lease.shift is None:
        yield low, high
        return
    day = local_date(low, zone) - timedelta(days=1)
    last = local_date(high, zone)
    while day <= last:
        if day.weekday() in lease.shift.days:
            begin, until = occurrence_ms(lease.shift, day, zone)
            begin, until = max(begin, low), min(until, high)
            if begin < until:
                yield begin, until
        day += timedelta(days=1)
