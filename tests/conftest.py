"""Fixtures that several test folders share."""

import itertools
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine, QueuePool

from seatwatt.ledger.open import open_engine
from seatwatt.settings import LedgerSettings
from tests.servers import PostgreSQL, Server, influxd, mosquitto, postgresql

# What lands is judged by the same examples everywhere; `make check` draws new ones each time.
settings.register_profile("seatwatt", deadline=None, print_blob=True,
                          derandomize="SEATWATT_EXPLORE" not in os.environ,
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


def _database(server: PostgreSQL, template: str = "template1") -> LedgerSettings:
    """A new database on the server, a copy of `template`."""
    name = f"ledger_{next(_databases)}"
    with psycopg.connect(host="127.0.0.1", port=server.port, user="postgres",
                         autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
    return LedgerSettings(ledger_url=server.url(name))


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_settings(request: pytest.FixtureRequest, tmp_path: Path) -> LedgerSettings:
    """Where an empty ledger may rest: once on SQLite, once on PostgreSQL."""
    if request.param == "sqlite":
        return LedgerSettings(ledger_url=f"sqlite:///{tmp_path}/ledger.db")
    return _database(request.getfixturevalue("postgres"))


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger on SQLite with all its tables and no row, to copy: making them takes long."""
    file = tmp_path_factory.mktemp("ledger") / "ledger.db"
    open_engine(LedgerSettings(ledger_url=f"sqlite:///{file}")).dispose()
    return file


@pytest.fixture(scope="session")
def migrated_database(postgres: PostgreSQL) -> str:
    """The same as the name of a PostgreSQL database."""
    settings = _database(postgres)
    open_engine(settings).dispose()
    return settings.ledger_url.rpartition("/")[2]


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An open ledger without a row, on either database."""
    if request.param == "sqlite":
        file = shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "ledger.db")
        settings = LedgerSettings(ledger_url=f"sqlite:///{file}")
    else:
        settings = _database(request.getfixturevalue("postgres"),
                             request.getfixturevalue("migrated_database"))
    engine = open_engine(settings)
    yield engine
    _all_returned(engine)
    engine.dispose()


def _all_returned(engine: Engine) -> None:
    """A connection that nobody gives back is told by the test that took it, not by whichever
    test the garbage collector runs in; a thread that just answers has a moment to end."""
    patience = itertools.repeat(0.05, 200)
    while isinstance(engine.pool, QueuePool) and engine.pool.checkedout() > 0:
        assert next(patience, None) is not None, "a connection to the ledger was not given back"
        time.sleep(0.05)
