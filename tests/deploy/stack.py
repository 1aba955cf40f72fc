"""The services of the compose file as plain processes: the same commands, settings, broker
configuration and accounts; only names and paths are those of this machine."""

import base64
import os
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.deploy.test_compose import interpolated, mounts
from tests.servers import free_port, influxd, program
from tests.shared import ROOT

START_S = 40.0


@dataclass
class Stack:
    """Where the services answer."""

    folder: Path
    env: dict[str, str]
    tls_port: int
    services_port: int
    influx_port: int
    api_port: int
    metrics_port: int
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def environment(self, name: str) -> dict[str, str]:
        """A service's environment of the compose file, with addresses of this machine."""
        service = interpolated(self.env)["services"][name]
        places = {target: str(self.folder / source.removeprefix("./"))
                  if source.startswith("./") else str(self.folder / "volumes" / source)
                  for target, source in mounts(service).items()}
        replaced = {}
        for variable, value in service["environment"].items():
            for target, place in places.items():
                value = value.replace(target, place) if value.startswith(target) else value
            replaced[variable] = value
        return replaced | {
            "SEATWATT_STORE_URL": f"http://127.0.0.1:{self.influx_port}/seatwatt",
            "SEATWATT_LEDGER_URL": f"sqlite:///{self.folder}/ledger.db",
            "SEATWATT_MQTT_HOST": "localhost", "SEATWATT_MQTT_PORT": str(self.services_port),
            "SEATWATT_API_HOST": "127.0.0.1", "SEATWATT_API_PORT": str(self.api_port),
            "SEATWATT_INGEST_METRICS_PORT": str(self.metrics_port)}

    def start(self, name: str) -> None:
        """Start one of our services as the compose file does."""
        command = interpolated(self.env)["services"][name]["command"]
        self.spawn(name, [sys.executable, "-m", "seatwatt", *command], self.environment(name))

    def run(self, name: str, *arguments: str) -> str:
        """Run a command of ours in the environment of a service; its output."""
        done = subprocess.run([sys.executable, "-m", "seatwatt", *arguments], cwd=ROOT, text=True,
                              env={**os.environ, **self.environment(name)}, capture_output=True,
                              check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def spawn(self, name: str, command: list[str], env: dict[str, str]) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log,
                                                    env={**os.environ, **env})

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def stop(self) -> None:
        for process in reversed(self.processes.values()):
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def wait(what: str, holds: Callable[[], bool], stack: Stack) -> None:
    deadline = time.monotonic() + START_S
    while not holds():
        dead = [name for name, process in stack.processes.items() if process.poll() is not None]
        assert not dead, f"{dead[0]} ended: {stack.log(dead[0])[-1500:]}"
        assert time.monotonic() < deadline, f"{what} never came: " + "\n".join(
            f"{name}: {stack.log(name)[-400:]}" for name in stack.processes)
        time.sleep(0.1)


@contextmanager
def running(folder: Path) -> Iterator[Stack]:
    """`make env`, then broker, InfluxDB with users, ingest and API."""
    subprocess.run([sys.executable, str(ROOT / "deploy/make_env.py"), str(folder)], check=True,
                   capture_output=True, cwd=ROOT)
    env = dict(line.split("=", 1) for line in (folder / ".env").read_text().splitlines())
    influx = influxd(folder / "influxd", http="auth-enabled = true")
    influx.start()
    stack = Stack(folder, env, free_port(), free_port(), influx.port, free_port(), free_port())
    try:
        _users(influx.port, env)
        broker = _broker_files(stack)
        stack.spawn("mosquitto", [program("mosquitto"), "-c", str(broker)], {})
        stack.start("ingest")
        stack.start("api")
        wait("ingest", lambda: answers(f"http://127.0.0.1:{stack.metrics_port}/readyz"), stack)
        wait("the API", lambda: answers(f"http://127.0.0.1:{stack.api_port}/readyz"), stack)
        yield stack
    finally:
        stack.stop()
        influx.stop()


def _broker_files(stack: Stack) -> Path:
    """The configuration that `make env` made, with this machine's paths, ports and user."""
    made = stack.folder / "secrets" / "broker"
    data = stack.folder / "volumes" / "broker-data"
    data.mkdir(parents=True)
    text = (made / "mosquitto.conf").read_text()
    for old, new in (("/mosquitto/config", str(made)), ("/mosquitto/data", str(data)),
                     ("listener 8883", f"listener {stack.tls_port} 127.0.0.1"),
                     ("listener 8884 0.0.0.0", f"listener {stack.services_port} 127.0.0.1")):
        text = text.replace(old, new)
    # Started as root it would drop to a user who may not read the test's folder.
    text = ("user root\n" if os.geteuid() == 0 else "") + text
    config = stack.folder / "mosquitto.conf"
    config.write_text(text)
    return config


def _users(port: int, env: dict[str, str]) -> None:
    """What the InfluxDB image does at its first start with the compose file's variables."""
    given = interpolated(env)["services"]["influxdb"]["environment"]
    admin, password = given["INFLUXDB_ADMIN_USER"], given["INFLUXDB_ADMIN_PASSWORD"]
    user, reader = given["INFLUXDB_USER"], given["INFLUXDB_READ_USER"]
    query(port, f"CREATE USER {admin} WITH PASSWORD '{password}' WITH ALL PRIVILEGES", "", "")
    for text in (f'CREATE DATABASE {given["INFLUXDB_DB"]}',
                 f"CREATE USER {user} WITH PASSWORD '{given['INFLUXDB_USER_PASSWORD']}'",
                 f"CREATE USER {reader} WITH PASSWORD '{given['INFLUXDB_READ_USER_PASSWORD']}'",
                 f'GRANT ALL ON {given["INFLUXDB_DB"]} TO {user}',
                 f'GRANT READ ON {given["INFLUXDB_DB"]} TO {reader}'):
        query(port, text, admin, password)


def query(port: int, text: str, user: str, password: str, database: str = "") -> str:
    """The server's answer; OSError when it refuses."""
    url = f"http://127.0.0.1:{port}/query?{urllib.parse.urlencode({'q': text, 'db': database})}"
    request = urllib.request.Request(url, method="POST")
    if user:
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        request.add_header("Authorization", f"Basic {token}")
    with urllib.request.urlopen(request, timeout=10) as answer:
        return str(answer.read().decode())
