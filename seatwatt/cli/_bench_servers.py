"""A real mosquitto and a real InfluxDB for a benchmark: free loopback ports, a folder of their own,
stopped by their own process ids."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from seatwatt.contract.errors import SeatwattError

_START_S = 30.0
_STOP_S = 15.0

# The broker's own limits would drop or hold back messages; deploy/ sets them alike.
_MOSQUITTO = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence false
max_queued_messages 0
max_inflight_messages 1000
"""

_INFLUXD = """\
reporting-disabled = true
bind-address = "127.0.0.1:{other_port}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  query-log-enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
[monitor]
  store-enabled = false
[logging]
  level = "warn"
"""


@dataclass(frozen=True, slots=True)
class Running:
    """A server process and its port."""

    process: "subprocess.Popen[bytes]"
    port: int


def free_port() -> int:
    """A loopback port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def mosquitto(folder: Path) -> Iterator[Running]:
    """A mosquitto as delivered, but for its queue limits."""
    port = free_port()
    config = folder / "mosquitto.conf"
    config.write_text(_MOSQUITTO.format(port=port))
    yield from _running([_program("mosquitto"), "-c", str(config)], port,
                        lambda: _accepts(port), folder / "mosquitto.log")


@contextmanager
def influxd(folder: Path, port: int = 0) -> Iterator[Running]:
    """An InfluxDB 1.x as delivered but for GOGC (docs/operations.md), on `port` if given."""
    port = port or free_port()
    config = folder / "influxdb.conf"
    config.write_text(_INFLUXD.format(port=port, other_port=free_port(), folder=folder))
    yield from _running([_program("influxd"), "-config", str(config)], port,
                        lambda: _pings(port), folder / "influxd.log",
                        {"GOGC": "200", **os.environ})


@contextmanager
def ingest(folder: Path, broker_port: int, store_port: int) -> Iterator[Running]:
    """`seatwatt ingest` as a process of its own, connected to the broker; its port is that of
    its pages."""
    port = free_port()
    env = {**os.environ, "SEATWATT_MQTT_PORT": str(broker_port),
           "SEATWATT_STORE_URL": f"http://127.0.0.1:{store_port}/bench",
           "SEATWATT_LEDGER_URL": f"sqlite:///{folder}/ledger.db",
           "SEATWATT_INGEST_STATE": str(folder / "ingest"),
           "SEATWATT_INGEST_METRICS_PORT": str(port)}
    log = folder / "ingest.log"
    yield from _running([sys.executable, "-m", "seatwatt", "ingest"], port,
                        lambda: "connected to broker" in log.read_text(), log, env)


def metric(port: int, name: str) -> float:
    """One figure of an ingest's /metrics."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        for line in answer.read().decode().splitlines():
            if line.startswith(f"seatwatt_ingest_{name}{{"):
                return float(line.rpartition(" ")[2])
    raise SeatwattError(f"ingest has no metric {name}")


def peak_rss_mb(process: "subprocess.Popen[bytes]") -> float:
    """Most memory the process has held so far."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1000
    return 0.0


def cpu_s(process: "subprocess.Popen[bytes]") -> float:
    """Processor time the process has used so far."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _running(command: list[str], port: int, ready: Callable[[], bool],
             log: Path, env: dict[str, str] | None = None) -> Iterator[Running]:
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=env)
    try:
        deadline = time.monotonic() + _START_S
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise SeatwattError(f"{command[0]} did not start: {log.read_text()[-300:]}")
            time.sleep(0.02)
        yield Running(process, port)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _program(name: str) -> str:
    """Where the program is; Debian keeps servers in /usr/sbin, off a user's PATH."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
    found = shutil.which(name, path=path)
    if found is None:
        raise SeatwattError(f"{name} is not installed; expected it on the PATH "
                            f"(apt-get install {name.replace('influxd', 'influxdb')})")
    return found


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _pings(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=1) as answer:
            return bool(answer.status == 204)
    except OSError:
        return False
