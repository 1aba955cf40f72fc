"""What the ingest benchmark measures besides rates: a backlog, and how late readings are."""

import json
import statistics
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path

from seatwatt.cli._bench_loads import Load, one_value_each, packs, queryable
from seatwatt.cli._bench_servers import Running, free_port, influxd, ingest, metric, mosquitto
from seatwatt.cli._raw_publisher import RawPublisher, packet
from seatwatt.contract.errors import SeatwattError

_TIMEOUT_S = 180.0
_POLL_S = 0.02
_BACKLOG_PACKS = 3_334
_LIVE_PER_S = 5_000
_LIVE_S = 12
_STEP_S = 0.02
_PROBE_EVERY_S = 0.05
_PROBE_SITE = "probe"


def backlog(runs: int) -> None:
    """A million readings in the journal while the store is down; the clock runs from the moment
    the store answers until all can be queried."""
    rates = []
    for number in range(runs):
        load = packs(f"backlog-{number}", _BACKLOG_PACKS)
        with tempfile.TemporaryDirectory(prefix="seatwatt-bench-") as name:
            seconds = _one_backlog(Path(name), load)
        rates.append(load.readings / seconds)
        print(f"backlog: {load.readings:,} readings journalled, stored in {seconds:.2f} s: "
              f"{rates[-1]:,.0f} readings/s", flush=True)
    print(f"backlog: median {statistics.median(rates):,.0f} readings/s", flush=True)


def _one_backlog(folder: Path, load: Load) -> float:
    port = free_port()
    with mosquitto(folder) as broker, ingest(folder, broker.port, port) as service:
        publish(load, broker)
        _until(lambda: metric(service.port, "journalled") == len(load.packets), "journalled")
        with influxd(folder, port):
            begun_s = time.monotonic()
            # A count of everything costs the store a while: ask once it is worth it.
            _until(lambda: metric(service.port, "journalled") == 0, "drained")
            _until(lambda: queryable(port, load) == load.readings, "queryable")
            return time.monotonic() - begun_s


def latency(runs: int) -> None:
    """Messages at a steady rate; how long a probe among them takes until a query returns it."""
    with tempfile.TemporaryDirectory(prefix="seatwatt-bench-") as name:
        folder = Path(name)
        with mosquitto(folder) as broker, influxd(folder) as store, \
                ingest(folder, broker.port, store.port):
            for number in range(runs):
                waits = sorted(_probe(number, broker, store))
                p50, p99 = (waits[int(len(waits) * part)] for part in (0.5, 0.99))
                print(f"latency at {_LIVE_PER_S:,} messages/s: {len(waits)} probes, median "
                      f"{p50:.3f} s, p99 {p99:.3f} s, longest {waits[-1]:.3f} s", flush=True)


def _probe(number: int, broker: Running, store: Running) -> list[float]:
    load = one_value_each(f"live-{number}", _LIVE_PER_S * _LIVE_S)
    steady = threading.Thread(target=_steadily, args=(load, broker))
    steady.start()
    publisher = RawPublisher(broker.port, "probe")
    sent_s: dict[int, float] = {}
    seen_s: dict[int, float] = {}
    # A probe's place in time is its number, so that the newest one says which have arrived.
    first = 1_700_000_000 + number * 10_000
    due_s = time.monotonic()
    while steady.is_alive() or len(seen_s) < len(sent_s):
        now_s = time.monotonic()
        if now_s >= due_s and steady.is_alive():
            probe = first + len(sent_s)
            sent_s[probe] = time.monotonic()
            publisher.send([packet(f"seatwatt/v1/{_PROBE_SITE}/seat/hall-a/001",
                                   b'[{"bt":%d,"n":"power","u":"W","v":1}]' % probe, 1)])
            due_s += _PROBE_EVERY_S
        newest = _newest(store.port)
        now_s = time.monotonic()
        seen_s.update({probe: now_s for probe in sent_s if probe <= newest
                       and probe not in seen_s})
    publisher.close()
    return [seen_s[probe] - at_s for probe, at_s in sent_s.items()]


def _steadily(load: Load, broker: Running) -> None:
    publisher = RawPublisher(broker.port, f"bench-{load.site}")
    step = int(_LIVE_PER_S * _STEP_S)
    begun_s = time.monotonic()
    for turn, start in enumerate(range(0, len(load.packets), step)):
        time.sleep(max(0.0, begun_s + turn * _STEP_S - time.monotonic()))
        publisher.send(load.packets[start:start + step])
    publisher.settled()
    publisher.close()


def _newest(port: int) -> int:
    asked = urllib.parse.urlencode({
        "db": "bench", "epoch": "s",
        "q": f"SELECT last(power_w) FROM seat WHERE site = '{_PROBE_SITE}'"})
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/query?{asked}", timeout=30) as answer:
        series = json.load(answer)["results"][0].get("series")
    return int(series[0]["values"][0][0]) if series else 0


def publish(load: Load, broker: Running) -> None:
    """Publish the load at full speed and wait for the broker's acknowledgements."""
    publisher = RawPublisher(broker.port, f"bench-{load.site}")
    for start in range(0, len(load.packets), load.portion):
        publisher.send(load.packets[start:start + load.portion])
    publisher.settled()
    publisher.close()


def _until(happened: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _TIMEOUT_S
    while not happened():
        if time.monotonic() > deadline:
            raise SeatwattError(f"bench ingest: not {what} within {_TIMEOUT_S:.0f} s")
        time.sleep(_POLL_S)
