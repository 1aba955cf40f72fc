"""The periods and steps a caller may name: `from`, `to`, `step`."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from zoneinfo import ZoneInfo

from seatwatt.contract.errors import InputError
from seatwatt.contract.intervals import IntervalGrid, instant_ms, local_midnight_ms

_EXPECTED = "a local date (2026-10-01) or an RFC 3339 instant (2026-10-01T08:00:00+05:00)"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_INSTANT = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?)([Zz]|[+-]\d{2}:\d{2})")


class Step(Enum):
    """How finely energy is shown; days are the site's local days."""

    INTERVAL = "interval"
    HOUR = "hour"
    DAY = "day"
    TOTAL = "total"


@dataclass(frozen=True, slots=True)
class Period:
    """UTC milliseconds, [start_ms, end_ms)."""

    start_ms: int
    end_ms: int


def parse_period(from_: str, to: str, zone: ZoneInfo, days_max: int = 400) -> Period:
    """A local date means its midnight in `zone`. InputError names the field."""
    start_ms, end_ms = _parse("from", from_, zone), _parse("to", to, zone)
    if start_ms >= end_ms:
        raise InputError("period", f"from {from_} is not before to {to}", "from before to")
    if end_ms - start_ms > days_max * 86_400_000:
        raise InputError("period", "it is too long", f"at most {days_max} days")
    return Period(start_ms, end_ms)


def _parse(field: str, text: str, zone: ZoneInfo) -> int:
    # An offset's + that was not percent-encoded in a query arrives as a space.
    text = re.sub(r" (?=\d{2}:\d{2}$)", "+", text.strip())
    try:
        if _DATE.fullmatch(text):
            return instant_ms(_within(date.fromisoformat(text)), zone)
        found = _INSTANT.fullmatch(text)
        if found is None:
            raise ValueError
        offset = "+00:00" if found[3] in "Zz" else found[3]
        when = datetime.fromisoformat(f"{found[1]}T{found[2]}{offset}")
        _within(when.date())
        return instant_ms(when, zone)
    except (ValueError, OverflowError):
        raise InputError(field, f"{text!r} is not a time", _EXPECTED) from None


def _within(day: date) -> date:
    """Keeps clear of the calendar's ends, where time zones overflow."""
    if not 1970 < day.year < 9000:
        raise ValueError
    return day


def step_starts(grid: IntervalGrid, step: Step) -> list[int]:
    """Index of the interval at which each step begins; the last step ends with the grid.

    Hours and days are the local ones; the first may be cut where the period begins inside it.
    """
    if step is Step.INTERVAL:
        return list(range(len(grid)))
    if step is Step.TOTAL:
        return [0]
    edges = _hours(grid) if step is Step.HOUR else _days(grid)
    return [index for index, at_ms in enumerate(grid.boundaries_ms[:-1])
            if index == 0 or at_ms in edges]


def _days(grid: IntervalGrid) -> set[int]:
    day = datetime.fromtimestamp(grid.start_ms / 1000, grid.zone).date()
    edges = set()
    while (midnight_ms := local_midnight_ms(day, grid.zone)) < grid.end_ms:
        edges.add(midnight_ms)
        day += timedelta(days=1)
    return edges


def _hours(grid: IntervalGrid) -> set[int]:
    """Whole hours after each local midnight, in elapsed time, as intervals are counted."""
    days = sorted(_days(grid))
    return {at_ms for start_ms, end_ms in zip(days, [*days[1:], grid.end_ms], strict=True)
            for at_ms in range(start_ms, end_ms, 3_600_000)}
