"""Fixtures that several test folders share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.servers import Server, influxd, mosquitto

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
