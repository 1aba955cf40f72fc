"""Readings of a recording as columns of arrays, gathered without an object a reading."""

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from seatwatt.contract.devices import Device
from seatwatt.contract.quantities import Nature, Quantity
from seatwatt.contract.readings import QuarantinedMessage, ReadingBatch, Series
from seatwatt.contract.rules import Rule

BATCH_READINGS = 200_000
"""Readings held as Python objects before they become arrays: some 30 MB."""

Columns: TypeAlias = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]
"""Taken at and received at (UTC milliseconds), values in the canonical unit; one length."""


@dataclass(slots=True)
class Recording:
    """The numeric readings of one site, in file order, and the messages that were refused.

    `messages` were read for the site, `readings` of them are good (texts counted too);
    `other_sites` counts the messages of any other site, `others` those that carry no readings.
    """

    site_id: str
    messages: int = 0
    readings: int = 0
    quarantined: list[QuarantinedMessage] = field(default_factory=list)
    refused_at: dict[Rule, str] = field(default_factory=dict)
    """Of each rule the first refusal: file and line, device, and what was wrong."""
    other_sites: dict[str, int] = field(default_factory=dict)
    others: int = 0
    _columns: dict[Quantity, dict[Device, Columns]] = field(default_factory=dict)

    def set_columns(self, columns: dict[Quantity, dict[Device, Columns]]) -> None:
        """What the builder gathered."""
        self._columns = columns

    def columns(self, quantity: Quantity) -> dict[Device, Columns]:
        """The readings of a quantity by device, each in file order: neither sorted by time nor
        freed of duplicates. Of two at the same time the one received later stands, of two received
        at the same time the later in the arrays."""
        return self._columns.get(quantity, {})

    def quantities(self) -> list[Quantity]:
        """The numeric quantities that were read."""
        return list(self._columns)


class ColumnBuilder:
    """Gathers batches of readings into a Recording's columns."""

    def __init__(self) -> None:
        self._batch = ReadingBatch()
        self._received: list[int] = []
        self._numbers: dict[Series, int] = {}
        self._parts: list[tuple[NDArray[np.int32], *Columns]] = []
        self.readings = 0

    def add(self, batch: ReadingBatch, received_at_ms: int) -> None:
        """Add the readings of a message."""
        self._batch.extend(batch)
        self._received.extend([received_at_ms] * len(batch))
        if len(self._received) >= BATCH_READINGS:
            self._flush()

    def add_one(self, series: Series, taken_at_ms: int, value: float) -> None:
        """Add one reading that counts as received when it was taken."""
        self._batch.append(series, taken_at_ms, value)
        self._received.append(taken_at_ms)
        if len(self._received) >= BATCH_READINGS:
            self._flush()

    def _flush(self) -> None:
        batch, received = self._batch, self._received
        self.readings += len(batch)
        met = dict.fromkeys(batch.series)
        if any(series.quantity.nature is Nature.TEXT for series in met):
            keep = [index for index, series in enumerate(batch.series)
                    if series.quantity.nature is not Nature.TEXT]
            received = [received[index] for index in keep]
            batch = ReadingBatch([batch.series[index] for index in keep],
                                 [batch.taken_at_ms[index] for index in keep],
                                 [batch.values[index] for index in keep])
        numbers = self._numbers
        for series in met:
            if series.quantity.nature is not Nature.TEXT:
                numbers.setdefault(series, len(numbers))
        count = len(batch)
        self._parts.append((
            np.fromiter(map(numbers.__getitem__, batch.series), np.int32, count),
            np.array(batch.taken_at_ms, np.int64), np.array(received, np.int64),
            np.array(batch.values, np.float64)))
        self._batch, self._received = ReadingBatch(), []

    def columns(self) -> dict[Quantity, dict[Device, Columns]]:
        """All readings by quantity and device. The builder is empty afterwards."""
        self._flush()
        parts, self._parts = self._parts, []
        numbers = np.concatenate([part[0] for part in parts])
        # Stable, so that file order survives; small integers sort by radix.
        order = np.argsort(numbers.astype(np.uint16) if len(self._numbers) < 65_536 else numbers,
                           kind="stable")
        ends = np.cumsum(np.bincount(numbers, minlength=len(self._numbers)))
        taken, received, values = (
            np.concatenate([part[column] for part in parts])[order] for column in (1, 2, 3))
        found: dict[Quantity, dict[Device, Columns]] = {}
        for series, number in self._numbers.items():
            span = slice(int(ends[number - 1]) if number else 0, int(ends[number]))
            found.setdefault(series.quantity, {})[series.device] = (
                taken[span], received[span], values[span])
        return found
