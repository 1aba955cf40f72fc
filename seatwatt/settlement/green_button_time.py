"""A time zone as Green Button's LocalTimeParameters: an offset, and when daylight saving begins and
ends in the year."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

NO_RULE = "FFFFFFFF"
"""Says that daylight saving is not to be computed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalTime:
    """Seconds east of UTC without daylight saving, what that adds, and its rules as hex."""

    offset_s: int
    saving_s: int = 0
    start_rule: str = NO_RULE
    end_rule: str = NO_RULE


def local_time(zone: ZoneInfo, at_ms: int) -> LocalTime:
    """Of the year in which the instant lies.

    The schema asks that saving ends later in a year than it starts. Where it does not (south of
    the equator), or clocks change otherwise, the offset at the instant stands without rules.
    """
    at = datetime.fromtimestamp(at_ms // 1000, UTC)
    changes = [(found, _offset_s(zone, found) - _offset_s(zone, found - _SECOND))
               for found in _changes(zone, at.astimezone(zone).year)]
    steps = [step for _, step in changes]
    if len(steps) != 2 or sum(steps) != 0 or steps[0] < 0:
        return LocalTime(offset_s=_offset_s(zone, at))
    (start, saving_s), (end, _) = changes
    return LocalTime(offset_s=_offset_s(zone, start - _SECOND), saving_s=saving_s,
                     start_rule=_rule(zone, start), end_rule=_rule(zone, end))


_SECOND, _DAY = timedelta(seconds=1), timedelta(days=1)


def _changes(zone: ZoneInfo, year: int) -> list[datetime]:
    """The first second of each new offset in the local year."""
    found = []
    at, end = (datetime(each, 1, 1, tzinfo=zone).astimezone(UTC) for each in (year, year + 1))
    while at < end:
        before, after = at, min(at + _DAY, end)
        if _offset_s(zone, before) != _offset_s(zone, after):
            while after - before > _SECOND:
                middle = before + (after - before) // 2
                if _offset_s(zone, middle) == _offset_s(zone, at):
                    before = middle
                else:
                    after = middle
            found.append(after.replace(microsecond=0))
        at += _DAY
    return found


def _offset_s(zone: ZoneInfo, at: datetime) -> int:
    offset = at.astimezone(zone).utcoffset()
    return 0 if offset is None else int(offset.total_seconds())


def _rule(zone: ZoneInfo, at: datetime) -> str:
    """Bits from the top: month 4, operator 3 (0: on this day of the month), day of the month 5,
    weekday 3 (0: any), hour 5, second of the hour 12; as clocks stood before the change."""
    local = (at - _SECOND).astimezone(zone).replace(tzinfo=None) + _SECOND
    return (f"{local.month << 28 | local.day << 20 | local.hour << 12 | 60 * local.minute:08X}")
