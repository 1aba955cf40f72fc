import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tests.unit.api.fakes import World, make_ledger, make_world


@pytest.fixture(scope="session")
def ledger_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_ledger(tmp_path_factory.mktemp("ledger"))


@pytest.fixture
def ledger_file(ledger_template: Path, tmp_path: Path) -> Path:
    """A ledger of the test's own that declares the small site."""
    return Path(shutil.copy(ledger_template, tmp_path))


@pytest.fixture
def world(ledger_file: Path) -> Iterator[World]:
    world = make_world(ledger_file)
    yield world
    world.ledger.dispose()


@pytest.fixture
def client(world: World) -> Iterator[TestClient]:
    with world.client() as client:
        yield client
