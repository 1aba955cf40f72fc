"""The service: network thread -> decoder -> committers, with the journal's drain beside them.

They overlap: while one batch is being written the next is turned into lines and the one after it
decoded. Each waits for the next with bounds on both sides, so that a slow store in the end stops
the reading of the socket and nothing else.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import msgspec

from seatwatt.contract.topics import BROKER_DROPPED
from seatwatt.ingest.commit import Committer, Places
from seatwatt.ingest.counts import Account, Counts
from seatwatt.ingest.delivery import Store
from seatwatt.ingest.drain import Drain
from seatwatt.ingest.drops import Drops
from seatwatt.ingest.gate import Gate
from seatwatt.ingest.intake import Delivery, Intake, size_of
from seatwatt.ingest.journal import Journal
from seatwatt.ingest.link import Link
from seatwatt.ingest.parcel import PARCEL_BYTES_MAX, Parcel
from seatwatt.ingest.ports import Clock, Decode, Quarantine
from seatwatt.ingest.session import client_id, open_session
from seatwatt.ingest.sorter import Sorter, is_aside
from seatwatt.ingest.takeovers import Takeovers
from seatwatt.settings import IngestSettings
from seatwatt.store.ports import Writer

LOG = logging.getLogger("seatwatt.ingest")
_DRAIN_PAUSE_S = 0.2
_COMMITTERS = 2
"""One waits for the store while the other turns the next parcel into lines."""
_STOP_S = 15.0
_DROPPED = BROKER_DROPPED.encode()
_TO_JSON = msgspec.json.Encoder().encode


class Ingest:
    """One ingest worker in this process. `start()`, then `stop()`; `failed` says why it ended
    by itself, if it did."""

    def __init__(self, settings: IngestSettings, writer: Writer, quarantine: Quarantine,
                 decode: Decode, clock: Clock) -> None:
        """SettingsError when the journal or a certificate cannot be used."""
        self.settings, self.name = settings, client_id(settings)
        self.counts = Counts()
        self.journal = Journal(settings.ingest_state / f"journal-{self.name}.db",
                               settings.ingest_journal_bytes, settings.ingest_disk_reserve_bytes)
        self.counts.recovered(self.journal.messages)
        self.intake = Intake(settings.ingest_queue_messages, settings.ingest_queue_bytes)
        self.store = Store(writer, Gate())
        self.places = Places(self.store, quarantine)
        session = open_session(settings)
        self.drops = Drops(session.address)
        self.link = Link(session, self._deliver, self.intake.has_room, clock,
                         Takeovers(settings.ingest_takeovers))
        self._stopping = threading.Event()
        self.committer = Committer(self.places, self.journal, self.counts, self._stopping.wait)
        self._sorter = Sorter(decode, settings.ingest_payload_bytes)
        # The drain has a sorter of its own: what a sorter remembers belongs to one thread.
        self._drain = Drain(self.journal, self.places,
                            Sorter(decode, settings.ingest_payload_bytes), self.counts,
                            settings.ingest_batch_readings)
        self._full: queue.Queue[Parcel | None] = queue.Queue(maxsize=1)
        self._decoder = self._thread("decode", self._decode)
        self._committers = [self._thread(f"commit-{number}", self._commit)
                            for number in range(_COMMITTERS)]
        self._drainer = self._thread("drain", self._drain_journal)
        self._crash = ""
        self._busy_s, self._seen = time.monotonic(), 0

    @property
    def failed(self) -> str:
        """Why this worker cannot go on; empty while it can."""
        return self._crash or self.link.failed

    @property
    def account(self) -> Account:
        """Where every message is."""
        return self.counts.account()

    @property
    def idle_s(self) -> float:
        """How long nothing has come and nothing was left to do; 0 while there is work."""
        account = self.account
        if not self.link.ready or account.in_flight or self.journal.entries:
            self._busy_s = time.monotonic()
        elif account.received != self._seen:
            self._busy_s, self._seen = time.monotonic(), account.received
        return time.monotonic() - self._busy_s

    def forget(self) -> None:
        """After stop(), of a worker no longer wanted: leave no trace in the state folder, but a
        journal with entries that could not be read."""
        for kind in ("subscriptions", "journal")[:1 if self.journal.messages else 2]:
            for path in self.settings.ingest_state.glob(f"{kind}-{self.name}.*"):
                path.unlink()

    def start(self) -> None:
        """Start all threads; the broker and the store may come later."""
        for thread in (self._decoder, *self._committers, self._drainer):
            thread.start()
        self.link.start()

    def stop(self) -> None:
        """Commit and acknowledge what was read, take leave of the broker, close the journal.

        What cannot be committed in time stays unacknowledged: the broker sends it again.
        """
        self.link.stop_reading()
        self.intake.close()
        self._decoder.join(_STOP_S)
        self._stopping.set()
        for thread in (*self._committers, self._drainer):
            thread.join(_STOP_S)
        self.link.stop()
        self.journal.close()

    def _thread(self, name: str, work: Callable[[], None]) -> threading.Thread:
        def run() -> None:
            try:
                work()
            # Nothing was acknowledged that does not rest: the broker sends it to whoever starts
            # next, which is safer than going on in a state nobody foresaw.
            except Exception as error:
                LOG.exception("%s thread", name)
                self._crash = f"{name} thread: {type(error).__name__}: {error}"

        return threading.Thread(target=run, name=f"ingest-{name}", daemon=True)

    def _deliver(self, delivery: Delivery) -> None:
        """On the network thread: count, and queue."""
        aside = [message for message in delivery.messages if is_aside(message[0])]
        if aside:
            self.link.settle({delivery.epoch: [mid for _, _, mid in aside if mid]}, {})
            self.counts.aside(len(aside))
            for topic, payload, _ in aside:
                if topic == _DROPPED:
                    self.drops.hear(payload)
            ours = [message for message in delivery.messages if not is_aside(message[0])]
            delivery = replace(delivery, messages=ours, size=size_of(ours))
        self.counts.received(len(delivery.messages))
        self.intake.put(delivery)

    def _decode(self) -> None:
        parcel = Parcel(time.monotonic())
        while True:
            due_s = parcel.started_s + self.settings.ingest_linger_s
            deliveries = self.intake.take(max(0.0, due_s - time.monotonic()) if parcel else None)
            if deliveries and not parcel:
                parcel.started_s = time.monotonic()
            for delivery in deliveries:
                parcel = self._sort(delivery, parcel)
                self.intake.done(delivery)
            done = self.intake.closed and not deliveries
            if parcel and (done or time.monotonic() >= due_s):
                self._full.put(parcel)
                parcel = Parcel(time.monotonic())
            if done:
                for _ in self._committers:
                    self._full.put(None)
                return

    def _sort(self, delivery: Delivery, parcel: Parcel) -> Parcel:
        """Into `parcel`, and when that is full into the next, which is returned."""
        add, received_at_ms = self._sorter.add, delivery.received_at_ms
        acks = parcel.acks.setdefault(delivery.epoch, [])
        for topic, payload, mid in delivery.messages:
            add(parcel, topic, payload, received_at_ms)
            if mid:
                acks.append(mid)
            if (len(parcel.readings) >= self.settings.ingest_batch_readings
                    or parcel.size >= PARCEL_BYTES_MAX):
                self._full.put(parcel)
                parcel = Parcel(time.monotonic())
                acks = parcel.acks.setdefault(delivery.epoch, [])
        return parcel

    def _commit(self) -> None:
        while (parcel := self._full.get()) is not None:
            if self.committer.commit(parcel):
                receipts = {topic: _TO_JSON(ids) for topic, ids in parcel.receipts.items()}
                self.link.settle(parcel.acks, receipts)

    def _drain_journal(self) -> None:
        while not self._stopping.is_set():
            if not self._drain.step():
                self._stopping.wait(_DRAIN_PAUSE_S)
