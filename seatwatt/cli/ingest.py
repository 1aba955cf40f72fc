"""`seatwatt ingest`: the service that takes readings from the broker into the store."""

import logging
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from seatwatt.contract.errors import SeatwattError
from seatwatt.ingest.pages import PageServer
from seatwatt.ingest.sums import Fleet
from seatwatt.ingest.workers import Workers, retired
from seatwatt.settings import IngestSettings

app = typer.Typer(add_completion=False)


@app.command()
def ingest(check: Annotated[Path | None, typer.Option(
               help="compare store and quarantine with a recording of what was sent, and end")
           ] = None,
           worker: Annotated[int, typer.Option(min=0, hidden=True)] = 0) -> None:
    """Take readings from the broker into the store until SIGTERM or Ctrl-C.

    Settings come from the environment (SEATWATT_...). A broker or store that is not there yet is
    waited for.

    Example: SEATWATT_STORE_URL=http://127.0.0.1:8086/seatwatt seatwatt ingest
    """
    if check is not None:
        from seatwatt.cli._ingest_check import check as run_check

        run_check(check)
        return
    who = f"worker {worker}: " if worker else ""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr,
                        format=f"%(asctime)s %(levelname)s {who}%(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    settings = IngestSettings.load(**({"ingest_worker": worker} if worker else {}))
    former = retired(settings.ingest_state, settings.ingest_client_id, settings.ingest_workers)
    port = settings.ingest_metrics_port
    if worker or (settings.ingest_workers == 1 and not former):
        # Only a worker needs store, ledger and decoder: who watches over workers starts faster
        # and stays small.
        from seatwatt.cli._ingest_worker import run_worker

        run_worker(settings, port and port + worker, on_signals())
    else:
        run_workers(settings, former)


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
    workers.run(on_signals())
    if server:
        server.stop()
    if workers.failed:
        raise SeatwattError(f"ingest: {workers.failed}")


def on_signals() -> threading.Event:
    """Set by SIGTERM and Ctrl-C."""
    asked = threading.Event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        asked.set()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    return asked
