"""`seatwatt bench ingest`: from a real mosquitto into a real InfluxDB, until all is queryable."""

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from seatwatt.cli._bench_loads import Load, one_value_each, packs, queryable, seats_of_four
from seatwatt.cli._bench_servers import Running, free_port, influxd, mosquitto
from seatwatt.cli._environment import environment_lines
from seatwatt.cli._raw_publisher import RawPublisher
from seatwatt.contract.errors import SeatwattError

app = typer.Typer(add_completion=False)
_TIMEOUT_S = 120.0
_POLL_S = 0.02


class Shape(Enum):
    """What is sent."""

    ALL = "all"
    PACKS = "packs"
    SINGLE = "single"
    SEATS = "seats"


@dataclass(frozen=True, slots=True)
class Run:
    """One measured run."""

    messages: int
    sent: int
    stored: int
    seconds: float


@app.command()
def ingest(
        runs: Annotated[int, typer.Option(min=1, help="runs of each shape")] = 5,
        shape: Annotated[Shape, typer.Option(help="what is sent")] = Shape.ALL,
        messages: Annotated[int, typer.Option(min=0, help="messages a run; 0: enough")] = 0
) -> None:
    """Publish to a real mosquitto, ingest into a real InfluxDB, and stop the clock when
    everything can be queried. Broker, database and ingest are started here and stopped again.

    packs: 75 seats of four values in a message of 300 readings; single: one reading a message;
    seats: one seat of four values a message.

    Example: seatwatt bench ingest --shape packs
    """
    for line in environment_lines():
        print(line)
    makers = {Shape.PACKS: (packs, 4_000), Shape.SINGLE: (one_value_each, 150_000),
              Shape.SEATS: (seats_of_four, 150_000)}
    with tempfile.TemporaryDirectory(prefix="seatwatt-bench-") as name:
        folder = Path(name)
        with mosquitto(folder) as broker, influxd(folder) as store:
            for wanted, (make, usual) in makers.items():
                if shape in (wanted, Shape.ALL):
                    with _ingest(folder, broker, store) as process:
                        _measure(wanted, [make(f"{wanted.value}-{number}", messages or usual)
                                          for number in range(runs)], broker, store, process)


def _measure(shape: Shape, loads: list[Load], broker: Running, store: Running,
             process: "subprocess.Popen[bytes]") -> None:
    done = []
    for load in loads:
        run = _run(load, broker, store)
        done.append(run)
        print(f"{shape.value}: sent {run.messages:,} messages, {run.sent:,} readings; stored "
              f"{run.stored:,}; {run.seconds:.2f} s; {run.messages / run.seconds:,.0f} messages/s,"
              f" {run.sent / run.seconds:,.0f} readings/s", flush=True)
    median = statistics.median(run.sent / run.seconds for run in done)
    median_messages = statistics.median(run.messages / run.seconds for run in done)
    print(f"{shape.value}: median {median_messages:,.0f} messages/s, {median:,.0f} readings/s; "
          f"ingest peak memory {peak_rss_mb(process.pid):.0f} MB", flush=True)


def _run(load: Load, broker: Running, store: Running) -> Run:
    publisher = RawPublisher(broker.port, f"bench-{load.site}")
    begun = time.monotonic()
    for start in range(0, len(load.packets), load.portion):
        publisher.send(load.packets[start:start + load.portion])
    publisher.settled()
    publisher.close()
    stored = 0
    while stored < load.readings and time.monotonic() - begun < _TIMEOUT_S:
        time.sleep(_POLL_S)
        stored = queryable(store.port, load)
    return Run(len(load.packets), load.readings, stored, time.monotonic() - begun)


@contextmanager
def _ingest(folder: Path, broker: Running, store: Running
            ) -> Iterator["subprocess.Popen[bytes]"]:
    """`seatwatt ingest` as a process of its own, connected."""
    metrics = free_port()
    env = {**os.environ, "SEATWATT_MQTT_PORT": str(broker.port),
           "SEATWATT_STORE_URL": f"http://127.0.0.1:{store.port}/bench",
           "SEATWATT_LEDGER_URL": f"sqlite:///{folder}/ledger.db",
           "SEATWATT_INGEST_STATE": str(folder / "ingest"),
           "SEATWATT_INGEST_METRICS_PORT": str(metrics)}
    log = folder / "ingest.log"
    with log.open("wb") as out:
        process = subprocess.Popen([sys.executable, "-m", "seatwatt", "ingest"], env=env,
                                   stdout=out, stderr=out)
    try:
        deadline = time.monotonic() + _TIMEOUT_S
        while "connected to broker" not in log.read_text():
            if process.poll() is not None or time.monotonic() > deadline:
                raise SeatwattError(f"ingest did not start: {log.read_text()[-300:]}")
            time.sleep(_POLL_S)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(_TIMEOUT_S)


def peak_rss_mb(pid: int) -> float:
    """Most memory the process has held so far."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1000
    return 0.0
