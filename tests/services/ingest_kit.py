"""What the tests of ingest share: an ingest process, messages to send, the store to ask."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from seatwatt.cli._raw_publisher import RawPublisher, packets
from seatwatt.ledger.open import open_engine
from seatwatt.ledger.quarantine import Kept, Quarantine
from seatwatt.settings import LedgerSettings
from tests.servers import Server, free_port

NOW_S = time.time_ns() // 1_000_000_000
WAIT_S = 60.0


def until(happened: Callable[[], bool], what: str, timeout_s: float = WAIT_S) -> None:
    """Wait for it; fails with `what` when it does not happen."""
    deadline = time.monotonic() + timeout_s
    while not happened():
        assert time.monotonic() < deadline, f"not within {timeout_s:.0f} s: {what}"
        time.sleep(0.05)


def single(number: int, site: str = "hall") -> tuple[str, bytes]:
    """The numbered message: one reading, its value the number, of one of 350 seats."""
    taken_at_s = NOW_S - 3_000_000 + number // 350
    return (f"seatwatt/v1/{site}/seat/hall-a/{number % 350:03d}",
            b'[{"bt":%d,"n":"energy","u":"Wh","v":%d}]' % (taken_at_s, number))


def pack(number: int, size: int = 300, site: str = "hall") -> tuple[str, bytes]:
    """The numbered pack: `size` readings of as many seats, and its id."""
    records: list[dict[str, object]] = [
        {"n": f"seat/hall-a/{seat:03d}/energy", "u": "Wh", "v": number * size + seat}
        for seat in range(size)]
    records[0]["bt"] = NOW_S - 3_000_000 + number
    records.append({"n": "gateway/hall-a/gw/pack", "vs": f"1-{number}"})
    return f"seatwatt/v1/{site}/pack/hall-a/gw", json.dumps(records).encode()


@dataclass
class IngestProcess:
    """`seatwatt ingest` as a process of its own, with its state in a folder of the test."""

    folder: Path
    mqtt_port: int
    store_url: str
    extra: dict[str, str] = field(default_factory=dict)
    metrics_port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def env(self) -> dict[str, str]:
        """The settings it runs with."""
        return {"SEATWATT_MQTT_PORT": str(self.mqtt_port), "SEATWATT_STORE_URL": self.store_url,
                "SEATWATT_LEDGER_URL": f"sqlite:///{self.folder}/ledger.db",
                "SEATWATT_INGEST_STATE": str(self.folder),
                "SEATWATT_INGEST_DISK_RESERVE_BYTES": "0",
                "SEATWATT_INGEST_METRICS_PORT": str(self.metrics_port), **self.extra}

    def start(self, *arguments: str) -> "IngestProcess":
        """Start it; it connects in its own time."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "ingest.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "seatwatt", "ingest", *arguments],
                stdout=log, stderr=log, env={**os.environ, **self.env})
        return self

    def connected(self) -> "IngestProcess":
        """Wait until it is subscribed."""
        until(lambda: self.metric("connected") == 1.0, f"ingest connects\n{self.log()}")
        return self

    def metric(self, name: str) -> float:
        """One figure of /metrics, summed over workers; -1 while it does not answer."""
        try:
            page = self.page("metrics")
        except OSError:
            return -1.0
        found = [float(line.rpartition(" ")[2]) for line in page.splitlines()
                 if line.startswith(f"seatwatt_ingest_{name}{{")]
        return sum(found) if found else -1.0

    def page(self, name: str) -> str:
        """The text of a page of its HTTP server; OSError while it does not answer."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/{name}",
                                    timeout=10) as answer:
            text: str = answer.read().decode()
            return text

    def ready(self) -> tuple[int, str]:
        """Status and text of /readyz."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/readyz",
                                        timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def log(self) -> str:
        """What it printed."""
        path = self.folder / "ingest.log"
        return path.read_text() if path.exists() else ""

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait; the exit status."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(40)
        finally:
            self.process.kill()

    def quarantined(self) -> list[Kept]:
        """What lies in its quarantine."""
        engine = open_engine(LedgerSettings(ledger_url=self.env["SEATWATT_LEDGER_URL"]))
        try:
            return Quarantine(engine).list(limit=100_000)
        finally:
            engine.dispose()


class Receipts:
    """A gateway's ear: collects the ids in its receipts."""

    def __init__(self, port: int, topic: str = "seatwatt/v1/hall/receipt/hall-a/gw") -> None:
        self.ids: list[str] = []
        self._client = Client(CallbackAPIVersion.VERSION2)
        subscribed: list[int] = []
        self._client.on_subscribe = lambda *_: subscribed.append(1)
        self._client.on_message = lambda _c, _d, message: self.ids.extend(
            json.loads(message.payload))
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._client.subscribe(topic, 1)
        until(lambda: bool(subscribed), "the listener is subscribed")

    def close(self) -> None:
        """Listen no more."""
        self._client.disconnect()
        self._client.loop_stop()


def influx_url(server: Server) -> str:
    """The setting that names the test's database."""
    return f"http://127.0.0.1:{server.port}/seatwatt"


def query(server: Server, text: str) -> list[list[float]]:
    """Rows of the first series that InfluxDB answers; empty while there is no database."""
    where = urllib.parse.urlencode({"db": "seatwatt", "q": text, "epoch": "ms"})
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/query?{where}",
                                timeout=60) as answer:
        result = json.load(answer)["results"][0]
    series = result.get("series", [])
    return [row for one in series for row in one["values"]]


def count_and_sum(server: Server, field_name: str = "energy_wh") -> tuple[int, int]:
    """How many readings of seats are stored, and the sum of their values."""
    try:
        rows = query(server, f'SELECT count("{field_name}"), sum("{field_name}") FROM seat')
    except OSError:
        return -1, -1
    return (int(rows[0][1] or 0), int(rows[0][2] or 0)) if rows else (0, 0)


def singles(count: int, start: int = 0) -> list[bytes]:
    """Packets of numbered single readings."""
    return packets(single(number) for number in range(start, start + count))


def publish(port: int, ready: list[bytes], name: str = "raw") -> None:
    """Publish packets and wait for the broker's acknowledgements."""
    publisher = RawPublisher(port, name)
    publisher.send(ready)
    publisher.settled()
    publisher.close()


def portions(ready: list[bytes], size: int) -> Iterator[list[bytes]]:
    """The packets in portions of `size`."""
    for start in range(0, len(ready), size):
        yield ready[start:start + size]
