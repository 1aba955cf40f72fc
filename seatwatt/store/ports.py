"""The two ports of the store. Adapters: `influx.py` (InfluxDB) and `sqlite.py` (embedded file).

All times are UTC milliseconds since 1970; all ranges are half-open. Adapters raise only the
StoreError family of `contract.errors`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from seatwatt.contract.devices import Device
from seatwatt.contract.quantities import Quantity
from seatwatt.contract.readings import ReadingBatch, Series


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """Readings of one numeric series, rising in time: int64 milliseconds and float64 values."""

    times_ms: NDArray[np.int64]
    values: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LastReading:
    """The newest reading of a series."""

    series: Series
    taken_at_ms: int
    value: float | str


@dataclass(frozen=True, slots=True)
class DerivedPoint:
    """One point of a derived measurement (`tenant_energy`, `device_health` ...)."""

    measurement: str
    tags: tuple[tuple[str, str], ...]
    fields: tuple[tuple[str, float | str], ...]
    time_ms: int


Sums = dict[int, tuple[int, float]]
"""Start of each step in milliseconds -> count and sum of its readings."""


class Writer(Protocol):
    """Writes readings; `write` is used by ingest alone. Same series and time overwrites. With each
    batch goes a mark of the quarters of an hour it touches (`marks.py`)."""

    def write(self, batch: ReadingBatch) -> None:
        """Commit all of `batch` durably, or raise a StoreError; sending again is harmless."""

    def write_derived(self, points: Sequence[DerivedPoint]) -> None:
        """Commit derived points (the jobs' output)."""

    def ping(self) -> None:
        """Return when the store can take readings; raise the StoreError that says why not."""

    def close(self) -> None:
        """Let go of connections and files."""


class JobWriter(Writer, Protocol):
    """What the jobs write with: a Writer that can also forget."""

    def forget(self, site: str, quantity: Quantity, before_ms: int) -> None:
        """Delete the site's readings, taken before the time, of a quantity that is about people.
        No other reading goes with them, even where this is cut off; asking again is harmless."""


class Reader(Protocol):
    """Reads readings; used by the API and the jobs."""

    def sites(self) -> list[str]:
        """Sites with at least one reading, sorted."""

    def devices(self, site: str) -> list[Device]:
        """Devices of the site with at least one reading, sorted."""

    def last(self, site: str, kinds: Sequence[str] = ()) -> list[LastReading]:
        """The newest reading of every series of the site (of these kinds, if any are named)."""

    def columns(self, site: str, quantity: Quantity, start_ms: int, end_ms: int,
                devices: Sequence[Device] | None = None) -> dict[Device, Column]:
        """Readings of a numeric quantity in [start_ms, end_ms), by device; devices without any
        are absent."""

    def first_ms(self, site: str, quantity: Quantity) -> int | None:
        """When the site's oldest reading of a numeric quantity was taken; None without any."""

    def sums(self, site: str, quantity: Quantity, devices: Sequence[Device], start_ms: int,
             end_ms: int, step_ms: int) -> dict[Device, Sums]:
        """How many readings `columns` would give of each device in each step that begins at
        start_ms or a multiple of step_ms after it, and their sum as floats: enough to tell whether
        they are still what they were. Steps and devices without any are absent."""

    def texts(self, site: str, quantity: Quantity, start_ms: int, end_ms: int
              ) -> dict[Device, list[tuple[int, str]]]:
        """Readings of a text quantity in [start_ms, end_ms), by device, rising in time."""

    def registers(self, site: str, quantity: Quantity, start_ms: int, end_ms: int,
                  margin_ms: int) -> dict[Device, Column]:
        """As `columns` over [start_ms - margin_ms, end_ms + margin_ms), and where a device has
        nothing in a margin, its nearest reading beyond it as well, so that a boundary inside a
        long gap still finds the readings on both sides. Devices that were ever read before
        end_ms + margin_ms are present."""

    def derived(self, measurement: str, tags: Sequence[tuple[str, str]], start_ms: int,
                end_ms: int) -> list[DerivedPoint]:
        """Derived points whose tags include `tags`, rising in time."""

    def ping(self) -> None:
        """Return when the store answers; raise the StoreError that says why not."""

    def close(self) -> None:
        """Let go of connections and files."""
