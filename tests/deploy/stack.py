"""The services of the compose file as plain processes: the same commands, settings, broker
configuration and accounts; only names and paths are those of this machine."""

import base64
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from tests.deploy.test_compose import interpolated, mounts
from tests.servers import PostgreSQL, Server, accepts, free_port, influxd, postgresql, program
from tests.shared import ROOT

START_S = 120.0
DEVICE_PORTS = 40


@dataclass
class Stack:
    """Where the services answer. `instead` maps words of the compose file to those of here."""

    folder: Path
    env: dict[str, str]
    influx_port: int
    postgres_port: int
    instead: Mapping[str, str] = field(default_factory=dict)
    tls_port: int = field(default_factory=free_port)
    services_port: int = field(default_factory=free_port)
    api_port: int = field(default_factory=free_port)
    metrics_port: int = field(default_factory=free_port)
    device_port: int = field(default_factory=lambda: free_ports(DEVICE_PORTS))
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    services: dict[str, Any] = field(default_factory=dict)

    def service(self, name: str) -> dict[str, Any]:
        """As the compose file says it, with the passwords of `.env`."""
        if not self.services:
            self.services = interpolated(self.env)["services"]
        service: dict[str, Any] = self.services[name]
        return service

    def here(self, name: str, text: str) -> str:
        """A word of a service's command or environment, with names and paths of this machine."""
        for target, source in mounts(self.service(name)).items():
            place = self.folder / (source if source.startswith("./") else f"volumes/{source}")
            if text == target or text.startswith(f"{target}/"):
                place.mkdir(parents=True, exist_ok=True)
                return str(place) + text.removeprefix(target)
        for there, here in {**self.instead, "influxdb:8086": f"127.0.0.1:{self.influx_port}",
                            "postgres:5432": f"127.0.0.1:{self.postgres_port}",
                            "demo-devices:20000": f"localhost:{self.device_port}"}.items():
            text = text.replace(there, here)
        return text

    def environment(self, name: str) -> dict[str, str]:
        """A service's environment."""
        given = self.service(name).get("environment", {})
        ports = {"8883": self.tls_port, "8884": self.services_port}
        ours = {"SEATWATT_MQTT_HOST": "localhost", "SEATWATT_API_HOST": "127.0.0.1",
                "SEATWATT_MQTT_PORT": str(ports.get(given.get("SEATWATT_MQTT_PORT"), 0)),
                "SEATWATT_API_PORT": str(self.api_port),
                "SEATWATT_INGEST_METRICS_PORT": str(self.metrics_port)}
        return {variable: ours.get(variable, self.here(name, value))
                for variable, value in given.items()}

    def start(self, name: str) -> None:
        """Start one of our services as the compose file does."""
        words = [self.here(name, word) for word in self.service(name)["command"]]
        self.spawn(name, [sys.executable, "-m", "seatwatt", *words], self.environment(name))

    def run(self, name: str, *arguments: str) -> str:
        """Run a service that ends, or another command in its environment; its output."""
        words = arguments or [self.here(name, word) for word in self.service(name)["command"]]
        done = subprocess.run([sys.executable, "-m", "seatwatt", *words], cwd=ROOT, text=True,
                              env={**os.environ, **self.environment(name)}, capture_output=True,
                              check=False, timeout=300)
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


def free_ports(count: int) -> int:
    """The first of so many neighbouring ports that nothing listens on now."""
    while True:
        first = random.randrange(20_000, 32_000)
        if not any(accepts(port) for port in range(first, first + count)):
            return first


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
def running(folder: Path, instead: Mapping[str, str]) -> Iterator[Stack]:
    """`make env`, then PostgreSQL, InfluxDB, broker and ingest; the rest is the test's to start."""
    subprocess.run([sys.executable, str(ROOT / "deploy/make_env.py"), str(folder)], check=True,
                   capture_output=True, cwd=ROOT)
    env = dict(line.split("=", 1) for line in (folder / ".env").read_text().splitlines())
    with ExitStack() as opened:
        influx, postgres = opened.enter_context(_influx(folder, env)), opened.enter_context(
            _postgres(env))
        stack = Stack(folder, env, influx.port, postgres.port, instead)
        opened.callback(stack.stop)
        stack.spawn("mosquitto", [program("mosquitto"), "-c", str(_broker_files(stack))], {})
        stack.start("ingest")
        wait("ingest", lambda: answers(f"http://127.0.0.1:{stack.metrics_port}/readyz"), stack)
        yield stack


def _broker_files(stack: Stack) -> Path:
    """The configuration that `make env` made, with this machine's paths, ports and user."""
    made = stack.folder / "secrets" / "broker"
    data = stack.folder / "volumes" / "broker-data"
    data.mkdir(parents=True)
    text = (made / "mosquitto.conf").read_text()
    for old, new in (("/mosquitto/config", str(made)), ("/mosquitto/data", str(data)),
                     ("listener 8883", f"listener {stack.tls_port} 127.0.0.1"),
                     ("listener 8884 0.0.0.0", f"listener {stack.services_port} 127.0.0.1")):
        assert old in text
        text = text.replace(old, new)
    # Started as root it would drop to a user who may not read the test's folder.
    text = ("user root\n" if os.geteuid() == 0 else "") + text
    config = stack.folder / "mosquitto.conf"
    config.write_text(text)
    return config


@contextmanager
def _postgres(env: dict[str, str]) -> Iterator[PostgreSQL]:
    """A cluster that asks for the password, with what the PostgreSQL image makes at first."""
    given = interpolated(env)["services"]["postgres"]["environment"]
    user, database = given["POSTGRES_USER"], given["POSTGRES_DB"]
    folder = Path(tempfile.mkdtemp(prefix="seatwatt-stack-"))
    server = postgresql(folder)
    try:
        access = folder / "data" / "pg_hba.conf"
        access.write_text(f"host all {user} 127.0.0.1/32 scram-sha-256\n" + access.read_text())
        server.start()
        with psycopg.connect(host="127.0.0.1", port=server.port, user="postgres",
                             autocommit=True) as connection:
            password = given["POSTGRES_PASSWORD"]
            connection.execute(f"CREATE ROLE {user} LOGIN PASSWORD '{password}'".encode())
            connection.execute(f"CREATE DATABASE {database} OWNER {user}".encode())
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


@contextmanager
def _influx(folder: Path, env: dict[str, str]) -> Iterator[Server]:
    """With the compose file's settings, and the users that its image makes at the first start."""
    given = interpolated(env)["services"]["influxdb"]["environment"]
    server = influxd(folder / "influxd")
    server.env = {name: value for name, value in given.items()
                  if re.match("INFLUXDB_(REPORTING|MONITOR|HTTP|DATA)_", name)}
    server.start()
    try:
        _users(server.port, given)
        yield server
    finally:
        server.stop()


def _users(port: int, given: dict[str, str]) -> None:
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
