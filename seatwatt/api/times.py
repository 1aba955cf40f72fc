"""Instants as texts."""

from datetime import UTC, datetime


def utc_text(at_ms: int) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")


def maybe_utc_text(at_ms: int | None) -> str | None:
    """None for what has not happened."""
    return None if at_ms is None else utc_text(at_ms)
