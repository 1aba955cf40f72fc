"""Committing a parcel: in the store, in the journal or in the quarantine, and only then settled.

The order is what makes it safe: refusals to the quarantine, readings to the store; when either
cannot take them, everything to the journal; when that cannot either, wait and begin again. Doing
a part twice is harmless, leaving one out is not.
"""

import logging
import time
from bisect import bisect_right
from collections.abc import Callable

from seatwatt.contract.errors import StoreError
from seatwatt.contract.readings import Refusal
from seatwatt.contract.rules import Rule
from seatwatt.ingest.counts import Counts
from seatwatt.ingest.delivery import Refused, Store
from seatwatt.ingest.journal import Journal, JournalFull
from seatwatt.ingest.parcel import Parcel
from seatwatt.ingest.ports import Quarantine

LOG = logging.getLogger("seatwatt.ingest")
_FULL_WAIT_S = 0.5
_REMIND_S = 60.0


class Places:
    """Store and quarantine: where a parcel is to rest. Shared by live data and the journal's."""

    def __init__(self, store: Store, quarantine: Quarantine,
                 monotonic: Callable[[], float] = time.monotonic) -> None:
        self.store, self._quarantine, self._monotonic = store, quarantine, monotonic
        self.quarantine_problem = ""
        self._untold, self._told_at_s = 0, float("-inf")

    def take_refused(self, parcel: Parcel) -> None:
        """The parcel's pending refusals into the quarantine, or StoreError."""
        if not parcel.pending:
            return
        try:
            self._quarantine.put(parcel.pending)
        except StoreError as error:
            if not self.quarantine_problem:
                LOG.error("the quarantine takes nothing, what is refused waits in the journal: %s",
                          error)
            self.quarantine_problem = str(error)
            raise
        self.quarantine_problem = ""
        parcel.pending = []

    def take(self, parcel: Parcel) -> int:
        """All of the parcel into store and quarantine, or StoreError; the readings stored."""
        self.take_refused(parcel)
        refused = self.store.deliver(parcel.readings)
        if refused:
            self._tell(refused)
            _refuse(parcel, refused)
            self.take_refused(parcel)
        return len(parcel.readings) - len(refused)

    def _tell(self, refused: Refused) -> None:
        """A line at once, then one a minute: a field of another type refuses readings for hours."""
        self._untold += len(refused)
        now_s = self._monotonic()
        if now_s - self._told_at_s >= _REMIND_S:
            LOG.warning("store refused %d readings, quarantined: %s", self._untold, refused[0][1])
            self._untold, self._told_at_s = 0, now_s


def _refuse(parcel: Parcel, refused: Refused) -> None:
    by_message: dict[int, list[Refusal]] = {}
    for index, words in refused:
        series, at_ms = parcel.readings.series[index], parcel.readings.taken_at_ms[index]
        told = f"{series.device}/{series.quantity.name} at {at_ms}: {words}"
        by_message.setdefault(bisect_right(parcel.ends, index), []).append(
            Refusal(Rule.T13, told))
    for message, refusals in by_message.items():
        parcel.refuse(message, refusals)


class Committer:
    """Commits live parcels and keeps the account of their messages."""

    def __init__(self, places: Places, journal: Journal, counts: Counts,
                 wait: Callable[[float], bool]) -> None:
        """`wait(seconds)` waits so long at most and returns whether we are to stop."""
        self._places, self._journal = places, journal
        self._counts, self._wait = counts, wait
        self.problem = ""
        """Why nothing takes the parcel, while that is so."""

    def commit(self, parcel: Parcel) -> bool:
        """Whether the parcel rests; False only when we are to stop and nothing takes it."""
        while not (self._placed(parcel) or self._journalled(parcel)):
            if self._wait(_FULL_WAIT_S):
                return False
        self.problem = ""
        return True

    def _placed(self, parcel: Parcel) -> bool:
        try:
            self._places.take_refused(parcel)
            if self._places.store.gate.wait_s() > 0:
                return False
            readings = self._places.take(parcel)
        except StoreError:
            return False  # gate and places hold the reason and show it
        refused = len(parcel.refused)
        self._counts.placed(len(parcel) - refused, refused, readings)
        return True

    def _journalled(self, parcel: Parcel) -> bool:
        refused = 0 if parcel.pending else len(parcel.refused)
        counted = len(parcel) - refused
        # Plain bytes: the journal's encoder knows no kinds of them.
        payloads = map(bytes, parcel.payloads)
        messages = list(zip(parcel.topics, payloads, parcel.received_at_ms, strict=True))
        try:
            self._journal.put(messages, counted, bool(parcel.pending))
        except JournalFull as error:
            if not self.problem:
                LOG.error("%s; nothing more is acknowledged", error)
            self.problem = str(error)
            return False
        self._counts.journalled(counted, refused)
        return True
