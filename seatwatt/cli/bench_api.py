"""`seatwatt bench api`: a tenant's month by half-hours, asked for at a steady rate."""

import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from http.client import HTTPConnection
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from seatwatt.api.access import Role
from seatwatt.api.keys import make_key
from seatwatt.cli._environment import environment_lines
from seatwatt.contract.devices import Device
from seatwatt.contract.errors import StoreUnavailable
from seatwatt.contract.intervals import local_midnight_ms
from seatwatt.contract.quantities import quantity
from seatwatt.contract.readings import ReadingBatch, SeriesBook
from seatwatt.contract.sitefile import parse_site
from seatwatt.ledger.open import open_engine
from seatwatt.ledger.sites import save_site
from seatwatt.settings import LedgerSettings, StoreSettings
from seatwatt.store.open import open_writer

SITE, TENANTS, HALL_SEATS, CLIENTS = "bench", 8, 25, 16
ZONE = ZoneInfo("Asia/Karachi")
MONTH = date(2026, 9, 1), date(2026, 10, 1)
PATH = (f"/v1/sites/{SITE}/energy?by=tenant&step=interval&from={MONTH[0]}&to={MONTH[1]}")

app = typer.Typer(add_completion=False)


@app.command()
def main(
    seats: Annotated[int, typer.Option(min=8, help="seats of the site")] = 350,
    minutes: Annotated[int, typer.Option(min=1, max=30, help="between register readings")] = 10,
    rate: Annotated[float, typer.Option(min=1, help="requests a second")] = 50,
    seconds: Annotated[float, typer.Option(min=1, help="how long to ask")] = 20,
    runs: Annotated[int, typer.Option(min=1, help="how often")] = 5,
) -> None:
    """Serve a site's month from an embedded store on one core and ask at a steady rate with a
    tenant's key. A time counts from when the request was due, not from when it was sent.

    Example: seatwatt bench api --seats 100 --runs 1
    """
    console = Console()
    console.print(*environment_lines(), sep="\n")
    folder = Path(tempfile.mkdtemp(prefix="seatwatt-bench-"))
    try:
        with console.status("filling the store"):
            count = _fill(folder, seats, minutes)
            secret = _declare(folder, seats)
        console.print(f"{seats} seats, {TENANTS} tenants, {count:,} readings, one each {minutes} "
                      f"minutes; {rate:g} requests/s for {seconds:g} s")
        with _served(folder) as address:
            console.print(_measure(address, secret, rate, seconds, runs))
    finally:
        shutil.rmtree(folder)


def _measure(address: str, secret: str, rate: float, seconds: float, runs: int) -> Table:
    first = _Load(address, secret, rate).ask(1)
    table = Table("run", "requests", "failed", "p50 ms", "p99 ms", "most ms", "bytes each",
                  box=None)
    table.add_row("first (cold)", *first.columns())
    for run in range(1, runs + 1):
        table.add_row(str(run), *_Load(address, secret, rate).ask(round(rate * seconds)).columns())
    return table


@dataclass(frozen=True, slots=True)
class _Answers:
    """Milliseconds each answer took from when it was due; failures; bytes of one answer."""

    took_ms: list[float]
    failed: int
    size: int

    def columns(self) -> tuple[str, ...]:
        p50, p99, most = np.percentile(self.took_ms, (50, 99, 100))
        return (str(len(self.took_ms)), str(self.failed), f"{p50:.1f}", f"{p99:.1f}",
                f"{most:.1f}", f"{self.size:,}")


class _Load:
    """CLIENTS connections that take requests from a timetable."""

    def __init__(self, address: str, secret: str, rate: float) -> None:
        self._host = urlsplit(address).netloc
        self._headers = {"authorization": f"Bearer {secret}"}
        self._rate = rate
        self._due: queue.Queue[float] = queue.Queue()
        self._took_ms: list[float] = []
        self._failed = self._size = 0
        self._lock = threading.Lock()

    def ask(self, count: int) -> _Answers:
        """`count` requests at the rate."""
        start_s = time.perf_counter()
        for number in range(count):
            self._due.put(start_s + number / self._rate)
        threads = [threading.Thread(target=self._client) for _ in range(min(CLIENTS, count))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return _Answers(self._took_ms, self._failed, self._size)

    def _client(self) -> None:
        connection = HTTPConnection(self._host, timeout=120)
        while True:
            try:
                due_s = self._due.get_nowait()
            except queue.Empty:
                connection.close()
                return
            time.sleep(max(0.0, due_s - time.perf_counter()))
            connection.request("GET", PATH, headers=self._headers)
            answer = connection.getresponse()
            body = answer.read()
            with self._lock:
                self._took_ms.append((time.perf_counter() - due_s) * 1000)
                self._failed += answer.status != 200
                self._size = len(body)


def _document(seats: int) -> dict[str, object]:
    halls = -(-seats // HALL_SEATS)
    zones = {f"hall-{n}": {"seats": min(HALL_SEATS, seats - n * HALL_SEATS)} for n in range(halls)}
    return {
        "site": SITE, "time_zone": ZONE.key, "currency": "PKR", "zones": zones,
        "meters": {"plant/grid": {"source": "grid"},
                   **{f"{zone}/board": {"parent": "supply", "share": "seats"} for zone in zones}},
        "seat_meters": {"parent": "{zone}/board"},
        "tenants": {f"tenant-{n}": {} for n in range(TENANTS)},
        "leases": [{"tenant": f"tenant-{n % TENANTS}", "zones": [zone], "from": "2026-01-01"}
                   for n, zone in enumerate(zones)]}


def _fill(folder: Path, seats: int, minutes: int) -> int:
    """Registers that rise evenly: what they hold does not change what an answer costs."""
    site = parse_site(_document(seats))
    start_ms, end_ms = (local_midnight_ms(day, ZONE) for day in MONTH)
    times = range(start_ms - 3_600_000, end_ms + 3_600_000, minutes * 60_000)
    book, count = SeriesBook(), 0
    writer = open_writer(StoreSettings.load(store_url=_store(folder)))
    seat_devices = [Device("seat", zone.name, seat) for zone in site.zones for seat in zone.seats]
    for watts, devices in ((80, seat_devices), (2100, [node.device for node in site.nodes[1:]]),
                           (30_000, [site.nodes[0].device])):
        name = "energy" if devices[0].kind == "seat" else "energy_import"
        values: list[float | str] = [n * watts * minutes / 60 for n in range(len(times))]
        for device in devices:
            series = book.get(SITE, device, quantity(device.kind, name))
            writer.write(ReadingBatch([series] * len(times), list(times), values))
            count += len(times)
    writer.close()
    return count


def _declare(folder: Path, seats: int) -> str:
    """The secret of a tenant's key."""
    engine = open_engine(LedgerSettings.load(ledger_url=_ledger(folder)))
    now_ms = time.time_ns() // 1_000_000
    save_site(engine, parse_site(_document(seats)), "bench", now_ms)
    made = make_key(engine, name="bench", role=Role.TENANT, site=SITE, tenant="tenant-0",
                    created_by="bench", now_ms=now_ms, expires_at_ms=None)
    engine.dispose()
    return made.secret


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    """The address of a `seatwatt api` that has one core to itself, where there are several."""
    environment = {**os.environ, "SEATWATT_STORE_URL": _store(folder),
                   "SEATWATT_LEDGER_URL": _ledger(folder), "SEATWATT_API_RATE_PER_S": "10000",
                   "SEATWATT_API_RATE_BURST": "10000"}
    command = [sys.executable, "-m", "seatwatt", "api", "--port", "0", "--no-jobs"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True,
                               stderr=subprocess.DEVNULL)
    try:
        os.sched_setaffinity(process.pid, {max(os.sched_getaffinity(0))})
        assert process.stdout is not None
        line = process.stdout.readline()
        if "API: " not in line:
            raise StoreUnavailable(f"the API did not start: {line.strip() or 'it ended'}")
        yield line.split()[1]
    finally:
        process.terminate()
        process.wait()


def _store(folder: Path) -> str:
    return f"sqlite:///{folder.resolve()}/readings.db"


def _ledger(folder: Path) -> str:
    return f"sqlite:///{folder.resolve()}/ledger.db"
