"""Fixtures of the tests on real servers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import Server
from tests.services.ingest_kit import IngestProcess, influx_url


@pytest.fixture
def ingest(tmp_path: Path, broker: Server, influx: Server) -> Iterator[IngestProcess]:
    """An ingest process between both servers, not yet started; asked to end after the test."""
    process = IngestProcess(tmp_path / "ingest", broker.port, influx_url(influx))
    yield process
    if process.process is not None:
        process.end()
