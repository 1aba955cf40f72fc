"""One seeded site for all tests of dashboards and alerts."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.grafana.seeding import Seeded, seed
from tests.servers import influxd


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeded]:
    """An InfluxDB that holds the two days."""
    folder: Path = tmp_path_factory.mktemp("grafana")
    server = influxd(folder / "influxd")
    server.start()
    try:
        yield seed(server, folder)
    finally:
        server.stop()
