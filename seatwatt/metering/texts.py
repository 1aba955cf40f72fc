"""How instants, energies and spans of time read in a finding's detail."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant_text(at_ms: int) -> str:
    """RFC 3339 in UTC; milliseconds only where there are any.

    >>> instant_text(1790000000250)
    '2026-09-21T14:13:20.250Z'
    """
    instant = _EPOCH + timedelta(milliseconds=at_ms)
    digits = "milliseconds" if at_ms % 1000 else "seconds"
    return instant.isoformat(timespec=digits).replace("+00:00", "Z")


def wh_text(energy_milliwh: int) -> str:
    """Watt-hours with three decimals, exactly.

    >>> wh_text(-1500)
    '-1.500 Wh'
    """
    whole, part = divmod(abs(energy_milliwh), 1000)
    return f"{'-' if energy_milliwh < 0 else ''}{whole}.{part:03d} Wh"


def span_text(span_ms: int) -> str:
    """Hours, minutes and seconds of a span.

    >>> span_text(21_601_000)
    '6 h 0 min 1 s'
    """
    seconds = span_ms // 1000
    hours, minutes, seconds = seconds // 3600, seconds // 60 % 60, seconds % 60
    parts = [f"{hours} h"] * (hours > 0) + [f"{minutes} min"]
    return " ".join(parts + [f"{seconds} s"] * (seconds > 0))


def local_day(at_ms: int, zone: ZoneInfo, days_later: int = 0) -> date:
    """The local date of an instant, or of so many days later."""
    return (_EPOCH + timedelta(milliseconds=at_ms)).astimezone(zone).date() + timedelta(
        days=days_later)
