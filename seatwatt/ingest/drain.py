"""Draining the journal into the store, oldest first, beside live data."""

import logging
import time

from seatwatt.contract.errors import StoreError
from seatwatt.ingest.commit import Places
from seatwatt.ingest.counts import Counts
from seatwatt.ingest.journal import Entry, Journal, JournalFull
from seatwatt.ingest.parcel import PARCEL_BYTES_MAX, Parcel
from seatwatt.ingest.sorter import Sorter

LOG = logging.getLogger("seatwatt.ingest")


class Drain:
    """Moves the oldest entries from the journal to where they belong, a batch at a time."""

    def __init__(self, journal: Journal, places: Places, sorter: Sorter, counts: Counts,
                 batch_readings: int) -> None:
        self._journal, self._places, self._sorter = journal, places, sorter
        self._counts, self._batch_readings = counts, batch_readings

    def step(self) -> bool:
        """Drain one batch; False when there is none or the store is not to be tried now."""
        if not self._journal.entries or self._places.store.gate.wait_s() > 0:
            return False
        entries, parcel = self._gather()
        if not entries:
            return False
        before = len(parcel.refused) if not entries[0].refused else 0
        try:
            readings = self._places.take(parcel)
            self._journal.remove(entries)
        except (StoreError, JournalFull) as error:
            LOG.debug("journal not drained: %s", error)
            return False
        quarantined = len(parcel.refused) - before
        counted = sum(entry.counted for entry in entries)
        self._counts.drained(counted - quarantined, quarantined, readings)
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
