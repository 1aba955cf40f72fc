"""`seatwatt bench gateway`: what a gateway costs its machine, and how a day's outage drains."""

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from seatwatt.cli._bench_seats import GAUGES_S, OWN, REGISTERS_S, clocks, outage
from seatwatt.cli._bench_servers import (
    Running,
    cpu_s,
    influxd,
    ingest,
    mosquitto,
    peak_rss_mb,
)
from seatwatt.cli._environment import environment_lines
from seatwatt.cli.progress import Work
from seatwatt.gateway.spool import Limits, Spool
from seatwatt.settings import GatewaySettings

app = typer.Typer(add_completion=False)
_WINDOWS = 5
_WARM_S = 12.0
_STOP_S = 30.0


@app.command()
def gateway(
        seats: Annotated[int, typer.Option(min=1, max=999, help="seats, a device each")] = 350,
        hours: Annotated[float, typer.Option(min=0, help="length of the outage")] = 24.0,
        window_s: Annotated[float, typer.Option(min=1, help="length of each of five windows")] = 12
) -> None:
    """Run a gateway of many seats at its real pace, then one that comes back from an outage.

    Gauges every 10 s, registers every 60 s, beside a real mosquitto, ingest and InfluxDB, which
    are started here and stopped again. The devices are invented, so that their protocol's own
    cost is not in it.

    Example: seatwatt bench gateway --hours 1
    """
    for line in environment_lines():
        print(line)
    with tempfile.TemporaryDirectory(prefix="seatwatt-bench-") as name:
        folder = Path(name)
        with mosquitto(folder) as broker, influxd(folder) as store, \
                ingest(folder, broker.port, store.port):
            _cost(folder, broker, seats, window_s)
            if hours:
                backlog = _fill(folder, seats, hours)
                _drain(folder, broker, store, seats, window_s, backlog)


def _cost(folder: Path, broker: Running, seats: int, window_s: float) -> None:
    with _gateway(folder / "cost.db", broker, seats) as process:
        time.sleep(_WARM_S)
        shares = []
        for _ in range(_WINDOWS):
            before_s = cpu_s(process)
            time.sleep(window_s)
            shares.append((cpu_s(process) - before_s) / window_s * 100)
        print(f"cost: {seats} seats, gauges {GAUGES_S} s, registers {REGISTERS_S} s: "
              f"{_spread(shares, '.1f')} % of a core in {_WINDOWS} windows of {window_s:.0f} s, "
              f"peak memory {peak_rss_mb(process):.0f} MB", flush=True)


def _fill(folder: Path, seats: int, hours: float) -> int:
    bound = GatewaySettings.model_fields["gateway_spool_bytes"].default
    spool = Spool(folder / "outage.db", OWN, Limits(bound, 10**12))
    readings, begun_s = 0, time.monotonic()
    total = int(hours * 3600 / GAUGES_S * seats * (3 + GAUGES_S / REGISTERS_S))
    with Work("outage", total, "readings") as work:
        for readings in outage(spool, seats, hours, clocks().wall()):
            work.to(readings)
    used, dropped = spool.used_bytes, spool.dropped
    spool.close()
    print(f"outage: {hours:g} h of {seats} seats are {readings:,} readings in {spool.packs:,} "
          f"packs, {used:,} bytes on disk ({used / readings:.1f} a reading, "
          f"{used / bound:.0%} of the default bound), {dropped:,} given up; spooled in "
          f"{time.monotonic() - begun_s:.0f} s", flush=True)
    return readings


def _drain(folder: Path, broker: Running, store: Running, seats: int, window_s: float,
           backlog: int) -> None:
    before_it = _stored(store)
    with _gateway(folder / "outage.db", broker, seats) as process:
        time.sleep(_WARM_S / 2)
        seen = _stored(store)
        live = seats * (3 / GAUGES_S + 1 / REGISTERS_S)
        rates: list[float] = []
        shares: list[float] = []
        for _ in range(_WINDOWS):
            begun_s, before, spent_s = time.monotonic(), seen, cpu_s(process)
            time.sleep(window_s)
            seen, lasted_s = _stored(store), time.monotonic() - begun_s
            if seen - before_it >= backlog:
                break
            rates.append((seen - before) / lasted_s - live)
            shares.append((cpu_s(process) - spent_s) / lasted_s * 100)
        if not rates:
            print("drain: over before a window was; try more --hours or a shorter --window-s")
            return
        print(f"drain: {_spread(rates, ',.0f')} readings/s of the backlog stored, beside "
              f"{live:,.0f} live ones, at {_spread(shares, '.0f')} % of a core; peak memory "
              f"{peak_rss_mb(process):.0f} MB", flush=True)


@contextmanager
def _gateway(spool: Path, broker: Running, seats: int
             ) -> "Iterator[subprocess.Popen[bytes]]":
    env = {**os.environ, "SEATWATT_MQTT_PORT": str(broker.port),
           "SEATWATT_GATEWAY_SPOOL": str(spool), "SEATWATT_GATEWAY_BACKLOG_DELAY_S": "0"}
    process = subprocess.Popen(
        [sys.executable, "-m", "seatwatt.cli._bench_seats", str(seats)], env=env)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(_STOP_S)


def _stored(store: Running) -> int:
    """Readings of seats that InfluxDB returns now."""
    fields = ("power_w", "voltage_v", "current_a", "energy_wh", "occupied")
    asked = urllib.parse.urlencode({"db": "bench", "q": "SELECT " + ", ".join(
        f'count("{name}")' for name in fields) + " FROM seat"})
    with urllib.request.urlopen(f"http://127.0.0.1:{store.port}/query?{asked}",
                                timeout=60) as answer:
        series = json.load(answer)["results"][0].get("series", [])
    return sum(count or 0 for one in series for count in one["values"][0][1:])


def _spread(numbers: list[float], form: str) -> str:
    return (f"{statistics.median(numbers):{form}} "
            f"({min(numbers):{form}} to {max(numbers):{form}})")
