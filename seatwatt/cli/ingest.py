"""`seatwatt ingest`: the service that takes readings from the broker into the store."""

import logging
import signal
import sys
import threading
import time
from types import FrameType
from typing import Annotated

import typer

from seatwatt.contract.errors import SeatwattError
from seatwatt.contract.senml import decode
from seatwatt.ingest.metrics import pages
from seatwatt.ingest.pages import PageServer
from seatwatt.ingest.service import Ingest
from seatwatt.ingest.sums import Fleet
from seatwatt.ingest.watch import Watch
from seatwatt.ingest.workers import Workers, retired
from seatwatt.ledger.open import open_engine
from seatwatt.ledger.quarantine import Quarantine
from seatwatt.settings import IngestSettings, LedgerSettings, StoreSettings
from seatwatt.store.open import open_writer

app = typer.Typer(add_completion=False)
_TICK_S = 0.2
_IDLE_S = 5.0


def clock_ms() -> int:
    """UTC milliseconds since 1970."""
    return time.time_ns() // 1_000_000


@app.command()
def ingest(worker: Annotated[int, typer.Option(min=0, hidden=True)] = 0) -> None:
    """Take readings from the broker into the store until SIGTERM or Ctrl-C.

    Settings come from the environment (SEATWATT_...). A broker or store that is not there yet is
    waited for.

    Example: SEATWATT_STORE_URL=http://127.0.0.1:8086/seatwatt seatwatt ingest
    """
    logging.basicConfig(level=logging.INFO, stream=sys.stderr,
                        format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    settings = IngestSettings.load(**({"ingest_worker": worker} if worker else {}))
    former = retired(settings.ingest_state, settings.ingest_client_id, settings.ingest_workers)
    port = settings.ingest_metrics_port
    if worker or (settings.ingest_workers == 1 and not former):
        run_worker(settings, port and port + worker)
    else:
        run_workers(settings, former)


def run_worker(settings: IngestSettings, port: int) -> None:
    """One worker in this process, its pages on `port` unless 0, until a signal; SeatwattError
    when it cannot go on.

    One that is no longer wanted ends when nothing waits for it any more.
    """
    writer = open_writer(StoreSettings.load())
    engine = open_engine(LedgerSettings.load())
    service = Ingest(settings, writer, Quarantine(engine), decode, clock_ms)
    watch = Watch(service, clock_ms)
    server = _page_server(service, settings.ingest_metrics_host, port)
    asked = _on_signals()
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


def run_workers(settings: IngestSettings, former: list[int]) -> None:
    """All workers, each a process of its own, and those that are to fetch what waits for them."""
    numbers = [*range(1, settings.ingest_workers + 1), *former]
    workers = Workers(lambda number: [sys.executable, "-m", "seatwatt", "ingest",
                                      "--worker", str(number)], numbers, frozenset(former))
    server, port = None, settings.ingest_metrics_port
    if port:
        fleet = Fleet(settings.ingest_metrics_host,
                      [port + number for number in numbers if number not in former])
        server = PageServer({"/metrics": fleet.metrics, "/readyz": fleet.readyz},
                            settings.ingest_metrics_host, port)
        server.start()
    workers.run(_on_signals())
    if server:
        server.stop()
    if workers.failed:
        raise SeatwattError(f"ingest: {workers.failed}")


def _page_server(service: Ingest, host: str, port: int) -> PageServer | None:
    if not port:
        return None
    server = PageServer(pages(service), host, port)
    server.start()
    return server


def _on_signals() -> threading.Event:
    asked = threading.Event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        asked.set()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    return asked
