"""Readings: one value of one quantity of one device at one time."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from seatwatt.contract.devices import Device
from seatwatt.contract.quantities import Quantity
from seatwatt.contract.rules import Rule

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """What readings of one quantity of one device belong to; interned, compared by identity.

    Get one from a SeriesBook, never by construction, so that equal series are the same object.
    """

    site: str
    device: Device
    quantity: Quantity


class SeriesBook:
    """Interns Series; bounded, so that a flood of invented devices cannot eat the memory."""

    def __init__(self, limit: int = 1_000_000) -> None:
        self._limit = limit
        self._known: dict[tuple[str, Device, Quantity], Series] = {}
        self._notes: dict[Hashable, Any] = {}
        self._noted = 0

    def notes(self, of: Hashable, fresh: Callable[[], T]) -> T:
        """What a decoder remembers `of` a topic, made by `fresh` at first."""
        found: T | None = self._notes.get(of)
        if found is None:
            self.noted()
            found = self._notes[of] = fresh()
        return found

    def noted(self) -> None:
        """Count one more thing remembered; past the limit everything is forgotten."""
        self._noted += 1
        if self._noted > self._limit:
            self._forget()

    def _forget(self) -> None:
        self._known.clear()
        self._notes.clear()
        self._noted = 0

    def get(self, site: str, device: Device, quantity: Quantity) -> Series:
        """The one Series of this site, device and quantity."""
        key = (site, device, quantity)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= self._limit:
                self._forget()
            found = self._known[key] = Series(site, device, quantity)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """The series of packs that look alike, in their order: of one site, numbers, no texts. One
    object for all these packs, so that what is worked out for one serves the others."""

    series: tuple[Series, ...]

    @property
    def site(self) -> str:
        """Whose they all are."""
        return self.series[0].site


class Run(NamedTuple):
    """The readings of a batch from `start` on are those of the layout, all of one time."""

    start: int
    layout: Layout
    taken_at_ms: int
    texts: list[bytes]
    """The values in digits, as they were sent, for whoever writes them in digits; or none."""


@dataclass(slots=True)
class ReadingBatch:
    """Readings as three columns of one length, in order of arrival: of two readings of the same
    series and time, the later in the batch stands. A number is a float in the quantity's
    canonical unit (a flag 0.0 or 1.0), a text is a str."""

    series: list[Series] = field(default_factory=list)
    taken_at_ms: list[int] = field(default_factory=list)
    values: list[float | str] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list, compare=False)
    """Stretches of the columns that need not be looked at one by one, rising, none in another;
    who does look loses nothing by passing them over."""

    def __len__(self) -> int:
        return len(self.values)

    def append(self, series: Series, taken_at_ms: int, value: float | str) -> None:
        """Add one reading at the end."""
        self.series.append(series)
        self.taken_at_ms.append(taken_at_ms)
        self.values.append(value)

    def extend(self, other: "ReadingBatch") -> None:
        """Add all of `other` at the end."""
        if other.runs:
            here = len(self.values)
            self.runs += [run._replace(start=here + run.start) for run in other.runs]
        self.series += other.series
        self.taken_at_ms += other.taken_at_ms
        self.values += other.values

    def part(self, start: int, stop: int) -> "ReadingBatch":
        """The readings [start, stop), as a batch of their own, without runs."""
        return ReadingBatch(self.series[start:stop], self.taken_at_ms[start:stop],
                            self.values[start:stop])


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a message, or one record of it, is not a reading. `record` is None for the whole."""

    rule: Rule
    detail: str
    record: int | None = None


@dataclass(frozen=True, slots=True)
class QuarantinedMessage:
    """A message that could not be used, kept as it came. Times in UTC milliseconds since 1970."""

    topic: str
    payload: bytes
    received_at_ms: int
    rule: Rule
    detail: str
    retained: bool = False
    """It came because we subscribed, as it does each time: kept once, however often it comes."""
