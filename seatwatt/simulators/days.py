"""Local days cut into minutes: what the simulated world is computed in."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from seatwatt.contract.intervals import local_midnight_ms, to_ms

MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class LocalDay:
    """One local day of a site; 1,380 to 1,500 minutes long."""

    day: date
    zone: ZoneInfo
    start_ms: int
    minutes: int

    @classmethod
    def of(cls, day: date, zone: ZoneInfo) -> Self:
        """The local `day` in `zone`."""
        start_ms = local_midnight_ms(day, zone)
        end_ms = local_midnight_ms(day + timedelta(days=1), zone)
        return cls(day, zone, start_ms, (end_ms - start_ms) // MINUTE_MS)

    @property
    def end_ms(self) -> int:
        """Where the next day begins."""
        return self.start_ms + self.minutes * MINUTE_MS

    @property
    def minute_starts_ms(self) -> NDArray[np.int64]:
        """When each minute begins."""
        return self.start_ms + MINUTE_MS * np.arange(self.minutes, dtype=np.int64)

    def at_ms(self, local: time, days_later: int = 0) -> int:
        """UTC milliseconds of a local time on this day, or some days later."""
        day = self.day + timedelta(days=days_later)
        return to_ms(datetime.combine(day, local, tzinfo=self.zone))

    def hours(self) -> NDArray[np.float64]:
        """Hour of the day (0 to 24) of each minute, counted in elapsed time."""
        return np.arange(self.minutes) / 60.0

