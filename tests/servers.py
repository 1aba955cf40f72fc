"""Real servers for the tests: started on free loopback ports in a folder of their own, stopped by
their own process id. A server that is not installed skips the test and says how to get it."""

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

START_TIMEOUT_S = 60.0
_reserved: list[socket.socket] = []


def free_port() -> int:
    """A loopback port that nothing listens on now, this process's own until it ends.

    It stays bound here without listening: a server, which binds with SO_REUSEADDR, may still take
    it, while no other test, process or outgoing connection is given it in the meantime.
    """
    probe = socket.socket()
    probe.bind(("127.0.0.1", 0))
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    _reserved.append(probe)
    port: int = probe.getsockname()[1]
    return port


def program(name: str) -> str:
    """Where the program is; Debian keeps servers in /usr/sbin, off a user's PATH."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed (apt-get install {name})")
    return found


def accepts(port: int) -> bool:
    """Whether something accepts connections on the loopback port."""
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass
class Server:
    """One server process that can be started, stopped, killed and started again on its data."""

    name: str
    command: list[str]
    folder: Path
    port: int
    ready: Callable[[], bool]
    process: "subprocess.Popen[bytes] | None" = None
    env: dict[str, str] = field(default_factory=dict)

    def start(self) -> None:
        """Start it and return when it answers."""
        with (self.folder / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, cwd=self.folder,
                                            env={**os.environ, **self.env})
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} did not start:\n{self.log()[-2000:]}")
            time.sleep(0.02)

    def log(self) -> str:
        """What the server printed so far."""
        return (self.folder / f"{self.name}.log").read_text(errors="replace")

    def stop(self) -> None:
        """Ask it to end (SIGTERM), kill it when it does not."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """kill -9: it ends without a chance to save anything."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """SIGSTOP: it hangs, its sockets stay open."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT after freeze."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def _end(self, how: signal.Signals) -> None:
        if self.process is None:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(30)
        self.process = None


MOSQUITTO_CONF = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence true
persistence_location {folder}/
autosave_interval 1
max_queued_messages 0
max_inflight_messages 1000
{extra}
"""


def mosquitto(folder: Path, extra: str = "") -> Server:
    """A mosquitto with persistence, not yet started; `extra` lines go into its configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    # Started as root it would drop to a user who cannot write the folder.
    port, owner = free_port(), "user root\n" if os.geteuid() == 0 else ""
    config = folder / "mosquitto.conf"
    config.write_text(owner + MOSQUITTO_CONF.format(port=port, folder=folder, extra=extra))
    return Server("mosquitto", [program("mosquitto"), "-c", str(config)], folder, port,
                  lambda: accepts(port))


INFLUXD_CONF = """\
reporting-disabled = true
bind-address = "127.0.0.1:{backup_port}"
[meta]
  dir = "{folder}/meta"
  logging-enabled = false
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  query-log-enabled = false
{data}
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
{http}
[monitor]
  store-enabled = false
[logging]
  level = "warn"
"""


def influxd(folder: Path, data: str = "", http: str = "") -> Server:
    """An InfluxDB 1.x, not yet started; `data` and `http` are lines for those sections."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    config = folder / "influxdb.conf"
    config.write_text(INFLUXD_CONF.format(folder=folder, port=port, backup_port=free_port(),
                                          data=data, http=http))

    def ready() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=1) as answer:
                return bool(answer.status == 204)
        except OSError:
            return False

    return Server("influxd", [program("influxd"), "-config", str(config)], folder, port, ready)


class PostgreSQL(Server):
    """A PostgreSQL cluster in a folder of its own; as root it runs as user `postgres`."""

    def stop(self) -> None:
        """Fast shutdown: SIGTERM would wait for clients that are still connected."""
        self._end(signal.SIGINT)

    def url(self, database: str = "postgres") -> str:
        """SQLAlchemy's address of one of its databases."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{database}"


def postgresql(folder: Path) -> PostgreSQL:
    """An initialised PostgreSQL cluster, not yet started. It runs as user postgres when the tests
    run as root, so `folder` must lie where that user can go."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs:
        pytest.skip("postgresql is not installed (apt-get install postgresql)")
    become: list[str] = []
    if os.geteuid() == 0:
        become = [program("setpriv"), "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        shutil.chown(folder, "postgres", "postgres")
    data, port = folder / "data", free_port()
    subprocess.run([*become, str(programs[-1] / "initdb"), "-D", str(data), "-U", "postgres",
                    "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C.UTF-8"],
                   check=True, capture_output=True, cwd=folder)
    # fsync off: a test's cluster need not survive the machine.
    command = [*become, str(programs[-1] / "postgres"), "-D", str(data), "-p", str(port),
               "-h", "127.0.0.1", "-k", str(folder), "-F"]
    return PostgreSQL("postgresql", command, folder, port, lambda: _answers(port))


def _answers(port: int) -> bool:
    """Whether a PostgreSQL accepts queries, which is later than that it accepts connections."""
    try:
        with psycopg.connect(host="127.0.0.1", port=port, user="postgres", connect_timeout=1):
            return True
    except psycopg.OperationalError:
        return False
