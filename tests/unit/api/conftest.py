from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from tests.unit.api.fakes import World, make_world


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def client(world: World) -> Iterator[TestClient]:
    with world.client() as client:
        yield client
