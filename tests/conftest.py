"""Fixtures that several test folders share."""

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine

from seatwatt.ledger.open import open_engine
from seatwatt.settings import LedgerSettings
from tests.servers import PostgreSQL, Server, influxd, mosquitto, postgresql

settings.register_profile("seatwatt", deadline=None, print_blob=True,
                          suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("seatwatt")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Server]:
    """A running mosquitto of the test's own."""
    server = mosquitto(tmp_path / "mosquitto")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def influx(tmp_path: Path) -> Iterator[Server]:
    """A running InfluxDB of the test's own."""
    server = influxd(tmp_path / "influxd")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def shared_influx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One InfluxDB for the tests of a module that do not disturb one another."""
    server = influxd(tmp_path_factory.mktemp("influxd"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgreSQL]:
    """One PostgreSQL for the whole run; each test takes a database of its own."""
    folder = Path(tempfile.mkdtemp(prefix="seatwatt-postgresql-"))
    server = postgresql(folder)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder)


_databases = itertools.count(1)


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_settings(request: pytest.FixtureRequest, tmp_path: Path) -> LedgerSettings:
    """Where an empty ledger may rest: once on SQLite, once on PostgreSQL."""
    if request.param == "sqlite":
        return LedgerSettings(ledger_url=f"sqlite:///{tmp_path}/ledger.db")
    server: PostgreSQL = request.getfixturevalue("postgres")
    name = f"ledger_{next(_databases)}"
    with psycopg.connect(host="127.0.0.1", port=server.port, user="postgres",
                         autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return LedgerSettings(ledger_url=server.url(name))


@pytest.fixture
def ledger(ledger_settings: LedgerSettings) -> Iterator[Engine]:
    """An open, empty ledger, on either database."""
    engine = open_engine(ledger_settings)
    yield engine
    engine.dispose()
