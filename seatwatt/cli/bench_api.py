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
from http.client import HTTPConnection
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from seatwatt.cli._bench_month import TENANTS, Arriving, Month
from seatwatt.cli._environment import environment_lines
from seatwatt.contract.errors import StoreUnavailable

CLIENTS = 16

app = typer.Typer(add_completion=False)


@app.command()
def main(
    seats: Annotated[int, typer.Option(min=8, help="seats of the site")] = 350,
    minutes: Annotated[int, typer.Option(min=1, max=30, help="between register readings")] = 10,
    rate: Annotated[float, typer.Option(min=1, help="requests a second")] = 50,
    seconds: Annotated[float, typer.Option(min=1, help="how long to ask")] = 20,
    runs: Annotated[int, typer.Option(min=1, help="how often")] = 5,
    marks: Annotated[bool, typer.Option(help="the store bears Seatwatt's marks of what was "
                                             "written, or another program filled it")] = True,
    arriving: Annotated[Arriving, typer.Option(
        help="what is written meanwhile: nothing; late, a reading of last month each three "
             "seconds; live, every register each second, and the month asked for is the present "
             "one")] = Arriving.NOTHING,
) -> None:
    """Serve a site's month from an embedded store on one core and ask at a steady rate with a
    tenant's key. A time counts from when the request was due, not from when it was sent.

    Example: seatwatt bench api --seats 100 --runs 1 --arriving live
    """
    console = Console()
    console.print(*environment_lines(), sep="\n")
    folder = Path(tempfile.mkdtemp(prefix="seatwatt-bench-"))
    try:
        month = Month(folder, seats, minutes, marks, arriving)
        with console.status("filling the store"):
            count, secret = month.fill(), month.declare()
        console.print(f"{seats} seats, {TENANTS} tenants, {count:,} readings, one each {minutes} "
                      f"minutes, {'with' if marks else 'without'} marks; {arriving} arriving; "
                      f"{rate:g} requests/s for {seconds:g} s")
        with _served(month) as address, month.written_to():
            console.print(_measure(_Asked(address, month.path, secret, rate), seconds, runs))
    finally:
        shutil.rmtree(folder)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked for, where, by whom, and how often a second."""

    address: str
    path: str
    secret: str
    rate: float


def _measure(asked: _Asked, seconds: float, runs: int) -> Table:
    first = _Load(asked).ask(1)
    table = Table("run", "requests", "failed", "p50 ms", "p99 ms", "most ms", "bytes each",
                  box=None)
    table.add_row("first (cold)", *first.columns())
    for run in range(1, runs + 1):
        table.add_row(str(run), *_Load(asked).ask(round(asked.rate * seconds)).columns())
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

    def __init__(self, asked: _Asked) -> None:
        self._asked = asked
        self._host = urlsplit(asked.address).netloc
        self._headers = {"authorization": f"Bearer {asked.secret}"}
        self._due: queue.Queue[float] = queue.Queue()
        self._took_ms: list[float] = []
        self._failed = self._size = 0
        self._lock = threading.Lock()

    def ask(self, count: int) -> _Answers:
        """`count` requests at the rate."""
        start_s = time.perf_counter()
        for number in range(count):
            self._due.put(start_s + number / self._asked.rate)
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
            connection.request("GET", self._asked.path, headers=self._headers)
            answer = connection.getresponse()
            body = answer.read()
            with self._lock:
                self._took_ms.append((time.perf_counter() - due_s) * 1000)
                self._failed += answer.status != 200
                self._size = len(body)


@contextmanager
def _served(month: Month) -> Iterator[str]:
    """The address of a `seatwatt api` that has one core to itself, where there are several."""
    environment = {**os.environ, "SEATWATT_STORE_URL": month.store,
                   "SEATWATT_LEDGER_URL": month.ledger, "SEATWATT_API_RATE_PER_S": "10000",
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
