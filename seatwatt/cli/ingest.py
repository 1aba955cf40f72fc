"""`seatwatt ingest`: the service that takes readings from the broker into the store."""

import logging
import signal
import sys
import threading
import time
from types import FrameType

import typer

from seatwatt.contract.errors import SeatwattError
from seatwatt.contract.senml import decode
from seatwatt.ingest.metrics import MetricsServer
from seatwatt.ingest.service import Ingest
from seatwatt.ingest.watch import Watch
from seatwatt.ledger.open import open_engine
from seatwatt.ledger.quarantine import Quarantine
from seatwatt.settings import IngestSettings, LedgerSettings, StoreSettings
from seatwatt.store.open import open_writer

app = typer.Typer(add_completion=False)
_TICK_S = 0.2


def clock_ms() -> int:
    """UTC milliseconds since 1970."""
    return time.time_ns() // 1_000_000


@app.command()
def ingest() -> None:
    """Take readings from the broker into the store until SIGTERM or Ctrl-C.

    Settings come from the environment (SEATWATT_...). A broker or store that is not there yet is
    waited for.

    Example: SEATWATT_STORE_URL=http://127.0.0.1:8086/seatwatt seatwatt ingest
    """
    logging.basicConfig(level=logging.INFO, stream=sys.stderr,
                        format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    run_worker(IngestSettings.load())


def run_worker(settings: IngestSettings) -> None:
    """One worker in this process, until a signal; SeatwattError when it cannot go on."""
    writer = open_writer(StoreSettings.load())
    engine = open_engine(LedgerSettings.load())
    service = Ingest(settings, writer, Quarantine(engine), decode, clock_ms)
    watch = Watch(service, clock_ms)
    metrics = _metrics(service, settings)
    asked = _on_signals()
    service.start()
    watch.start()
    while not asked.wait(_TICK_S) and not service.failed:
        pass
    watch.stop()
    service.stop()
    if metrics:
        metrics.stop()
    writer.close()
    engine.dispose()
    if service.failed:
        raise SeatwattError(f"ingest: {service.failed}")


def _metrics(service: Ingest, settings: IngestSettings) -> MetricsServer | None:
    if not settings.ingest_metrics_port:
        return None
    server = MetricsServer(service, settings.ingest_metrics_host,
                           settings.ingest_metrics_port + settings.ingest_worker - 1)
    server.start()
    return server


def _on_signals() -> threading.Event:
    asked = threading.Event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        asked.set()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    return asked
