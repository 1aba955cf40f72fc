"""A real mosquitto and a real InfluxDB for a benchmark: free loopback ports, a folder of their own,
stopped by their own process ids."""

import os
import shutil
import signal
import socket
import subprocess
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
def influxd(folder: Path) -> Iterator[Running]:
    """An InfluxDB 1.x as delivered."""
    port = free_port()
    config = folder / "influxdb.conf"
    config.write_text(_INFLUXD.format(port=port, other_port=free_port(), folder=folder))
    yield from _running([_program("influxd"), "-config", str(config)], port,
                        lambda: _pings(port), folder / "influxd.log")


def _running(command: list[str], port: int, ready: Callable[[], bool],
             log: Path) -> Iterator[Running]:
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
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
