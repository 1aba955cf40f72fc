"""One ingest worker in this process: the composition of broker, store, journal and ledger."""

import gc
import sys
import threading
import time

from seatwatt.contract.errors import SeatwattError
from seatwatt.contract.senml import decode
from seatwatt.ingest.metrics import pages
from seatwatt.ingest.pages import PageServer
from seatwatt.ingest.ports import Clock
from seatwatt.ingest.service import Ingest
from seatwatt.ingest.watch import Watch
from seatwatt.ledger.open import open_engine
from seatwatt.ledger.quarantine import Quarantine
from seatwatt.settings import IngestSettings, LedgerSettings, StoreSettings
from seatwatt.store.open import open_writer

_TICK_S = 0.2
_IDLE_S = 5.0
_GC_THRESHOLDS = (50_000, 20, 50)
"""Messages come as thousands of tuples that are never part of a cycle; at its usual threshold the
collector walks over them again and again, a microsecond or two a message."""
_SWITCH_S = 0.0005
"""A thread that has its answer from the store would wait for the decoder Python's usual five
milliseconds at each step, and the store with it: a third of the rate."""


def clock_ms() -> int:
    """UTC milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def run_worker(settings: IngestSettings, port: int, asked: threading.Event,
               clock: Clock = clock_ms) -> None:
    """One worker in this process, its pages on `port` unless 0, until `asked`; SeatwattError
    when it cannot go on.

    One that is no longer wanted ends when nothing waits for it any more.
    """
    sys.setswitchinterval(_SWITCH_S)
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)
    writer = open_writer(StoreSettings.load())
    engine = open_engine(LedgerSettings.load())
    service = Ingest(settings, writer, Quarantine(engine), decode, clock)
    watch = Watch(service, clock)
    server = _page_server(service, settings.ingest_metrics_host, port)
    service.start()
    watch.start()
    former = settings.ingest_worker > settings.ingest_workers
    while not (asked.wait(_TICK_S) or service.failed or (former and service.idle_s > _IDLE_S)):
        pass
    watch.stop()
    service.stop()
    if server:
        server.stop()
    writer.close()
    engine.dispose()
    if service.failed:
        raise SeatwattError(f"ingest: {service.failed}")
    if former and not asked.is_set():
        service.forget()


def _page_server(service: Ingest, host: str, port: int) -> PageServer | None:
    if not port:
        return None
    server = PageServer(pages(service), host, port)
    server.start()
    return server
