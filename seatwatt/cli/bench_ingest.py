"""`seatwatt bench ingest`: from a real mosquitto into a real InfluxDB, until all is queryable."""

import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from seatwatt.cli import _bench_scenes as scenes
from seatwatt.cli._bench_loads import Load, one_value_each, packs, queryable, seats_of_four
from seatwatt.cli._bench_servers import (
    Running,
    cpu_s,
    influxd,
    metric,
    mosquitto,
    peak_rss_mb,
)
from seatwatt.cli._bench_servers import (
    ingest as ingest_process,
)
from seatwatt.cli._environment import environment_lines

app = typer.Typer(add_completion=False)
_TIMEOUT_S = 120.0
_POLL_S, _POLL_MAX_S = 0.02, 0.25


class Shape(Enum):
    """What is sent, or what is measured."""

    ALL = "all"
    PACKS = "packs"
    SINGLE = "single"
    SEATS = "seats"
    BACKLOG = "backlog"
    LATENCY = "latency"


_MAKERS = {Shape.PACKS: (packs, 4_000), Shape.SINGLE: (one_value_each, 150_000),
           Shape.SEATS: (seats_of_four, 150_000)}


@dataclass(frozen=True, slots=True)
class Run:
    """One measured run; processor seconds by process."""

    messages: int
    sent: int
    stored: int
    seconds: float
    cpu: dict[str, float]


@app.command()
def ingest(
        runs: Annotated[int, typer.Option(min=1, help="runs of each shape")] = 5,
        shape: Annotated[Shape, typer.Option(help="what is sent or measured")] = Shape.ALL,
        messages: Annotated[int, typer.Option(min=0, help="messages a run; 0: enough")] = 0
) -> None:
    """Publish to a real mosquitto, ingest into a real InfluxDB, and stop the clock when
    everything is stored and can be queried, which a count then shows. Broker, database and ingest
    are started here and stopped again.

    packs: 75 seats of four values in a message of 300 readings; single: one reading a message;
    seats: one seat of four values a message; backlog: a million readings from the journal;
    latency: from publishing until a query returns it, at 5,000 messages/s.

    Example: seatwatt bench ingest --shape packs
    """
    for line in environment_lines():
        print(line)
    for wanted, (make, usual) in _MAKERS.items():
        if shape in (wanted, Shape.ALL):
            _measure(wanted, [make(f"{wanted.value}-{number}", messages or usual)
                              for number in range(runs)])
    if shape in (Shape.BACKLOG, Shape.ALL):
        scenes.backlog(runs)
    if shape in (Shape.LATENCY, Shape.ALL):
        scenes.latency(runs)


def _measure(shape: Shape, loads: list[Load]) -> None:
    with tempfile.TemporaryDirectory(prefix="seatwatt-bench-") as name:
        folder = Path(name)
        with mosquitto(folder) as broker, influxd(folder) as store, \
                ingest_process(folder, broker.port, store.port) as service:
            processes = {"ingest": service.process, "mosquitto": broker.process,
                         "influxd": store.process}
            done = [_run(shape, load, broker, store, service.port, processes)
                    for load in loads]
            peak_mb = peak_rss_mb(service.process)
    readings = statistics.median(run.sent / run.seconds for run in done)
    messages = statistics.median(run.messages / run.seconds for run in done)
    print(f"{shape.value}: median {messages:,.0f} messages/s, {readings:,.0f} readings/s; "
          f"ingest peak memory {peak_mb:.0f} MB", flush=True)


def _run(shape: Shape, load: Load, broker: Running, store: Running, pages: int,
         processes: "dict[str, subprocess.Popen[bytes]]") -> Run:
    before = {name: cpu_s(process) for name, process in processes.items()}
    had = metric(pages, "readings_total")
    begun_s = time.monotonic()
    scenes.publish(load, broker)
    seconds = _acknowledged(load, pages, had, begun_s)
    used = {name: cpu_s(process) - before[name] for name, process in processes.items()}
    # The count begins when the clock stops: what it finds could be queried by then. Counting is
    # the benchmark's work, not the store's.
    stored = queryable(store.port, load)
    while stored < load.readings and time.monotonic() - begun_s < _TIMEOUT_S:
        time.sleep(_POLL_S)
        stored, seconds = queryable(store.port, load), time.monotonic() - begun_s
    run = Run(len(load.packets), load.readings, stored, seconds, used)
    cpu = ", ".join(f"{name} {1e6 * used / run.messages:.1f}" for name, used in run.cpu.items())
    print(f"{shape.value}: sent {run.messages:,} messages, {run.sent:,} readings; stored "
          f"{run.stored:,}; {run.seconds:.2f} s; {run.messages / run.seconds:,.0f} messages/s, "
          f"{run.sent / run.seconds:,.0f} readings/s; processor us a message: {cpu}", flush=True)
    return run


def _acknowledged(load: Load, pages: int, had: float, begun_s: float) -> float:
    """Seconds from the beginning until the store has acknowledged every reading. Asking costs
    ingest a millisecond: seldom while much is to come, often at the end."""
    while True:
        done = metric(pages, "readings_total") - had
        lasted_s = time.monotonic() - begun_s
        if done >= load.readings or lasted_s > _TIMEOUT_S:
            return lasted_s
        left_s = lasted_s * (load.readings - done) / max(done, 1)
        time.sleep(min(max(left_s / 2, _POLL_S), _POLL_MAX_S))
