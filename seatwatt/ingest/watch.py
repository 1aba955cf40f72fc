"""Watching over the service: what is forgotten, what has died, what is filling up."""

import logging
import threading
import time
from collections.abc import Callable

from seatwatt.contract.errors import StoreError
from seatwatt.ingest.metrics import pipeline_point
from seatwatt.ingest.service import Ingest

LOG = logging.getLogger("seatwatt.ingest")
_TICK_S = 0.5


class Watch:
    """A thread that looks at an Ingest twice a second."""

    def __init__(self, ingest: Ingest, clock: Callable[[], int]) -> None:
        self._ingest, self._clock = ingest, clock
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ingest-watch", daemon=True)
        self._alarmed = False
        self._pointed_s = time.monotonic()
        self.rescues = 0
        """Connections made anew because an acknowledgement was forgotten."""
        self.revivals = 0
        """Network threads started in the place of dead ones."""

    def start(self) -> None:
        """Start watching."""
        self._thread.start()

    def stop(self) -> None:
        """Stop watching."""
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._done.wait(_TICK_S):
            self.look()

    def look(self) -> None:
        """One round; public for tests."""
        self._network()
        self._journal()
        now_s = time.monotonic()
        if now_s - self._pointed_s >= self._ingest.settings.ingest_pipeline_s:
            self._pointed_s = now_s
            self._point()

    def _network(self) -> None:
        link, ingest = self._ingest.link, self._ingest
        if not link.alive and not ingest.failed:
            self.revivals += 1
            LOG.error("the network thread died: starting another")
            link.start()
        age_s = link.oldest_unacknowledged_s()
        # With messages in flight the ack is late, not forgotten: the store or the journal is slow,
        # and having them sent again would only add to the load.
        if age_s > ingest.settings.ingest_watchdog_s and ingest.account.in_flight == 0:
            self.rescues += 1
            link.reset(f"a message has waited {age_s:.0f} s for an acknowledgement "
                       "that nobody is going to send")

    def _journal(self) -> None:
        journal, limit_pct = self._ingest.journal, self._ingest.settings.ingest_journal_alarm_pct
        alarm = journal.fill_pct >= limit_pct
        if alarm and not self._alarmed:
            LOG.error("journal %.0f %% full (%d messages): at 100 %% nothing more is acknowledged",
                      journal.fill_pct, journal.messages)
        self._alarmed = alarm

    def _point(self) -> None:
        store = self._ingest.store
        if not store.gate.is_open:
            return
        try:
            store.derive([pipeline_point(self._ingest, self._clock())])
        except StoreError as error:
            LOG.debug("pipeline point not written: %s", error)
