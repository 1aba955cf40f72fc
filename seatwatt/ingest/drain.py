"""Draining the journal into the store, oldest first, beside live data."""

import logging
import time
from dataclasses import dataclass

from seatwatt.contract.errors import StoreError
from seatwatt.ingest.commit import Places
from seatwatt.ingest.counts import Counts
from seatwatt.ingest.journal import Entry, Journal, JournalFull
from seatwatt.ingest.parcel import PARCEL_BYTES_MAX, Parcel
from seatwatt.ingest.sorter import Sorter

LOG = logging.getLogger("seatwatt.ingest")


@dataclass(frozen=True, slots=True)
class _Moved:
    """Entries whose messages rest in store and quarantine, and that the journal still holds."""

    entries: list[Entry]
    quarantined: int
    readings: int


class Drain:
    """Moves the oldest entries from the journal to where they belong, a batch at a time."""

    def __init__(self, journal: Journal, places: Places, sorter: Sorter, counts: Counts,
                 batch_readings: int) -> None:
        self._journal, self._places, self._sorter = journal, places, sorter
        self._counts, self._batch_readings = counts, batch_readings
        self._moved: _Moved | None = None

    def step(self) -> bool:
        """Drain one batch; False when there is none or the store is not to be tried now."""
        try:
            if self._moved is None:
                self._moved = self._move()
            return self._moved is not None and self._let_go(self._moved)
        except (StoreError, JournalFull) as error:
            LOG.debug("journal not drained: %s", error)
            return False

    def _move(self) -> "_Moved | None":
        if not self._journal.entries or self._places.store.gate.wait_s() > 0:
            return None
        entries, parcel = self._gather()
        if not entries:
            return None
        before = len(parcel.refused) if not entries[0].refused else 0
        readings = self._places.take(parcel)
        return _Moved(entries, len(parcel.refused) - before, readings)

    def _let_go(self, moved: "_Moved") -> bool:
        """What rests elsewhere leaves the journal. On a full disk not even that is possible, and
        moving it again meanwhile would fill the quarantine with the same messages."""
        self._journal.remove(moved.entries)
        self._moved = None
        counted = sum(entry.counted for entry in moved.entries)
        self._counts.drained(counted - moved.quarantined, moved.quarantined, moved.readings)
        return True

    def _gather(self) -> tuple[list[Entry], Parcel]:
        """Oldest entries of one kind, decoded again, until a batch is full."""
        entries: list[Entry] = []
        parcel = Parcel(time.monotonic())
        after = 0
        while len(parcel.readings) < self._batch_readings and parcel.size < PARCEL_BYTES_MAX:
            entry = self._journal.oldest(after)
            if entry is None or (entries and entry.refused != entries[0].refused):
                break
            for topic, payload, received_at_ms in entry.messages:
                self._sorter.add(parcel, topic, payload, received_at_ms)
            entries.append(entry)
            after = entry.id
        if entries and not entries[0].refused:
            parcel.pending = []  # in quarantine since before they were journalled
        return entries, parcel
