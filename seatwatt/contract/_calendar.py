"""Times as the site file writes them: clock times, dates, instants, lengths, days, months."""

import re
from datetime import date, datetime, time

from seatwatt.contract._fields import as_list, shown
from seatwatt.contract.errors import InputError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

_CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d))?")
_LENGTH = re.compile(r"(\d{1,6}) ?(s|min|h)")
_UNIT_S = {"s": 1, "min": 60, "h": 3600}
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def as_clock_time(where: str, value: object) -> time:
    """`17:00` or `17:00:00`; 24:00 is midnight.

    A YAML 1.1 reader makes an unquoted 17:00 the number 1020 and 17:00:00 the number 61200
    (base 60); up to 1440 it counts minutes, from 3600 on seconds.
    """
    text = value
    if isinstance(value, int) and not isinstance(value, bool):
        minutes, seconds = (value, 0) if value <= 1440 else divmod(value, 60)
        text = f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    match = _CLOCK.fullmatch(text) if isinstance(text, str) else None
    hour, minute, second = (int(part or 0) for part in match.groups()) if match else (99, 0, 0)
    if (hour, minute, second) == (24, 0, 0):
        return time()
    if hour > 23 or minute > 59 or second > 59:
        raise InputError(where, f"{shown(value)} is not a time of day", "such as \"17:30\"")
    return time(hour, minute, second)


def as_date_or_instant(where: str, value: object) -> date | datetime:
    """A local date `2026-10-01`, or an instant with its offset."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise InputError(where, f"{shown(value)} is not a date", "such as 2026-10-01") from None
    return as_instant(where, value, "2026-10-01, or 2026-10-01T11:00:00+05:00")


def as_instant(where: str, value: object, expected: str = "such as 2026-10-01T11:00:00+05:00"
               ) -> datetime:
    """An instant with its offset."""
    instant = value
    if isinstance(value, str):
        try:
            instant = datetime.fromisoformat(value)
        except ValueError:
            instant = None
    if not isinstance(instant, datetime):
        raise InputError(where, f"{shown(value)} is not a time", expected)
    if instant.tzinfo is None:
        raise InputError(where, f"{value} has no offset from UTC", expected)
    return instant


def as_length_s(where: str, value: object) -> int:
    """A length of time in seconds: `30min`, `1h`, `90s`."""
    match = _LENGTH.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise InputError(where, f"{shown(value)} is not a length of time", "such as 30min")
    return int(match[1]) * _UNIT_S[match[2]]


def as_days(where: str, value: object) -> tuple[int, ...]:
    """Weekdays, 0 is Monday: `mon-fri`, `sat,sun`, or a list of such."""
    return _choice(where, value, DAYS, 0)


def as_months(where: str, value: object) -> tuple[int, ...]:
    """Months 1 to 12: `dec-feb`, `jan,mar`, a number, or a list of such."""
    return _choice(where, value, MONTHS, 1)


def _choice(where: str, value: object, names: tuple[str, ...], first: int) -> tuple[int, ...]:
    found: set[int] = set()
    for item in value if isinstance(value, list | tuple) else [value]:
        if isinstance(item, int) and not isinstance(item, bool):
            found.add(item)
            continue
        for part in item.split(",") if isinstance(item, str) else [str(item)]:
            found |= {first + index for index in _span(where, part, names)}
    return tuple(sorted(found))


def _span(where: str, text: str, names: tuple[str, ...]) -> list[int]:
    ends = [end.strip().lower() for end in text.split("-")]
    if len(ends) > 2 or not all(end in names for end in ends):
        raise InputError(where, f"{shown(text)} is unknown", f"{names[0]}-{names[-1]}, "
                         f"or some of {', '.join(names)}")
    low, high = names.index(ends[0]), names.index(ends[-1])
    length = (high - low) % len(names) + 1
    return [(low + step) % len(names) for step in range(length)]


def names_of(numbers: tuple[int, ...], names: tuple[str, ...], first: int) -> str:
    """The inverse of `as_days` and `as_months`, name by name."""
    return ",".join(names[number - first] for number in numbers)


def as_names(where: str, value: object) -> list[str]:
    """A list of names, or a single one; a number in it is taken as written."""
    items = [value] if isinstance(value, str) else as_list(where, value)
    for item in items:
        if isinstance(item, bool) or not isinstance(item, str | int) or (
                isinstance(item, str) and not item.isprintable()):
            raise InputError(where, f"{shown(item)} is not a name", "a list of names")
    return [str(item) for item in items]
