"""Half-open intervals on the grid of a site's local days."""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from seatwatt.contract.errors import InputError

INTERVAL_LENGTHS_S = (300, 600, 900, 1200, 1800, 3600)
YEARS = 2000, 2199
_EPOCH, _MS = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)


def local_midnight_ms(day: date, zone: ZoneInfo) -> int:
    """UTC milliseconds at which the local `day` begins."""
    return to_ms(datetime.combine(day, time(), tzinfo=zone))


def to_ms(instant: datetime) -> int:
    """UTC milliseconds of an aware datetime, exactly."""
    if instant.tzinfo is None:
        raise InputError("time", f"{instant} has no time zone", "an aware datetime")
    return (instant.astimezone(UTC) - _EPOCH) // _MS


def instant_ms(when: date | datetime, zone: ZoneInfo) -> int:
    """UTC milliseconds of a local date's midnight, or of an aware instant; InputError for a year
    that no clock of ours can show."""
    if not YEARS[0] <= when.year <= YEARS[1]:
        raise InputError("time", f"the year {when.year} is out of range",
                         f"{YEARS[0]} to {YEARS[1]}")
    if isinstance(when, datetime):
        return to_ms(when)
    return local_midnight_ms(when, zone)


@dataclass(frozen=True, slots=True)
class IntervalGrid:
    """The intervals of a period: interval i is [boundaries_ms[i], boundaries_ms[i + 1]).

    Boundaries are multiples of the interval's length after local midnight, counted in elapsed
    time, so a local day of 23 or 25 hours has as many whole intervals as it lasts.
    """

    zone: ZoneInfo
    interval_s: int
    boundaries_ms: tuple[int, ...]

    def __post_init__(self) -> None:
        if self.interval_s not in INTERVAL_LENGTHS_S:
            raise InputError("interval", f"{self.interval_s} s is not a length we know",
                             "5, 10, 15, 20, 30 or 60 minutes")
        if len(self.boundaries_ms) < 2:
            raise InputError("period", "it is empty", "from before to")

    def __len__(self) -> int:
        return len(self.boundaries_ms) - 1

    @property
    def start_ms(self) -> int:
        """Where the first interval begins."""
        return self.boundaries_ms[0]

    @property
    def end_ms(self) -> int:
        """Where the last interval ends."""
        return self.boundaries_ms[-1]

    def day_starts(self) -> tuple[int, ...]:
        """Positions of the first interval and of each that begins a local day."""
        starts, day = [0], datetime.fromtimestamp(self.start_ms / 1000, self.zone).date()
        while (midnight := local_midnight_ms(day := day + timedelta(days=1), self.zone)
               ) < self.end_ms:
            starts.append(bisect_left(self.boundaries_ms, midnight))
        # A date that a zone left out altogether begins where the next one does.
        return tuple(dict.fromkeys(starts))

    @classmethod
    def between(cls, start_ms: int, end_ms: int, interval_s: int, zone: ZoneInfo) -> Self:
        """The grid of [start_ms, end_ms); InputError unless both lie on interval boundaries."""
        if interval_s not in INTERVAL_LENGTHS_S:
            raise InputError("interval", f"{interval_s} s is not a length we know",
                             "5, 10, 15, 20, 30 or 60 minutes")
        if start_ms >= end_ms:
            raise InputError("period", "from is not before to", "from before to")
        step_ms = interval_s * 1000
        for name, at_ms in (("from", start_ms), ("to", end_ms)):
            day = datetime.fromtimestamp(at_ms / 1000, zone).date()
            if (at_ms - local_midnight_ms(day, zone)) % step_ms:
                raise InputError(f"period {name}",
                                 f"{datetime.fromtimestamp(at_ms / 1000, zone).isoformat()} "
                                 "is not on an interval boundary",
                                 f"a multiple of {interval_s // 60} minutes after local midnight")
        return cls(zone, interval_s, _boundaries(start_ms, end_ms, step_ms, zone))


def _boundaries(start_ms: int, end_ms: int, step_ms: int, zone: ZoneInfo) -> tuple[int, ...]:
    boundaries: list[int] = []
    day = datetime.fromtimestamp(start_ms / 1000, zone).date()
    while (midnight := local_midnight_ms(day, zone)) < end_ms:
        day += timedelta(days=1)
        until = min(local_midnight_ms(day, zone), end_ms)
        boundaries += [at for at in range(midnight, until, step_ms) if at >= start_ms]
    return (*boundaries, end_ms)
