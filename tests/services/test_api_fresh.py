"""What the API remembers of a period holds until something is written to it, and no longer."""

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from seatwatt.api.services import Services
from seatwatt.contract.devices import Device
from seatwatt.contract.quantities import quantity
from seatwatt.contract.readings import ReadingBatch, SeriesBook
from seatwatt.contract.site import Site
from seatwatt.settings import StoreSettings
from tests.servers import Server
from tests.services.api_worlds import client_on, declare, services_on
from tests.services.run_kit import GRID, SEATS, a_site

DAY_MS, HOUR_MS = 86_400_000, 3_600_000
START_MS = 1_788_202_800_000  # 2026-09-01 in Karachi
MONTH = "/v1/sites/s/energy?from=2026-09-01&to=2026-09-04"
BOOK = SeriesBook()


@pytest.fixture(params=["sqlite", "influx"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> StoreSettings:
    if request.param == "sqlite":
        return StoreSettings(store_url=f"sqlite:///{tmp_path}/readings.db")
    server: Server = request.getfixturevalue("influx")
    return StoreSettings(store_url=f"http://127.0.0.1:{server.port}/seatwatt")


class World:
    """The API over a month of hourly registers, at a clock that the test moves."""

    def __init__(self, services: Services, client: TestClient, clock: list[int]) -> None:
        self.services, self.client, self.clock = services, client, clock

    def read(self, device: Device, at_ms: int, value: float) -> None:
        name = "energy" if device.kind == "seat" else "energy_import"
        self.services.writer.write(ReadingBatch(
            [BOOK.get("s", device, quantity(device.kind, name))], [at_ms], [value]))

    def total(self, **headers: str) -> float:
        found: dict[str, Any] = self.client.get(
            f"{MONTH}&by=meter&step=total", headers=headers).json()
        return float(found["series"][0]["energy_wh"])

    def counted(self) -> dict[str, float]:
        lines = self.client.get("/metrics").text.splitlines()
        return {answer: float(line.split()[-1]) for line in lines
                for answer in ("computed", "remembered")
                if line.startswith(f'seatwatt_api_settlements_total{{answer="{answer}"}}')}


def world_on(services: Services, client: TestClient, clock: list[int], site: Site) -> World:
    declare(services, site)
    world = World(services, client, clock)
    for hour in range(-2, 4 * 24 + 2):
        world.read(GRID, START_MS + hour * HOUR_MS, 10_000.0 + 400 * hour)
        for seat in SEATS:
            world.read(seat, START_MS + hour * HOUR_MS, 5_000.0 + 100 * hour)
    return world


def test_late_data_shows_within_the_stated_bound(store: StoreSettings, tmp_path: Path) -> None:
    clock = [START_MS + 30 * DAY_MS]
    with services_on(store, tmp_path, clock=lambda: clock[0]) as services, \
            client_on(services) as client:
        world = world_on(services, client, clock, a_site())
        assert world.total() == 72 * 400
        world.read(GRID, START_MS + 72 * HOUR_MS, 10_000.0 + 400 * 72 + 50)
        clock[0] += 6_000
        assert world.total() == 72 * 400 + 50


def test_what_did_not_change_is_not_computed_again(store: StoreSettings, tmp_path: Path) -> None:
    clock = [START_MS + 30 * DAY_MS]
    with services_on(store, tmp_path, clock=lambda: clock[0]) as services, \
            client_on(services) as client:
        world = world_on(services, client, clock, a_site())
        world.total()
        clock[0] += 6_000
        world.total()  # the first kept the days, which is seen as a change
        before = world.counted()["computed"]
        for _ in range(5):
            clock[0] += 600_000
            assert world.total() == 72 * 400
        assert world.counted()["computed"] == before


def test_a_caller_who_has_the_answer_is_told_so(store: StoreSettings, tmp_path: Path) -> None:
    clock = [START_MS + 30 * DAY_MS]
    with services_on(store, tmp_path, clock=lambda: clock[0]) as services, \
            client_on(services) as client:
        world = world_on(services, client, clock, a_site())
        path = f"{MONTH}&by=tenant&step=interval"
        first = client.get(path)
        assert first.headers["cache-control"] == "private, no-cache"
        again = client.get(path, headers={"if-none-match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert client.get(f"{path}&format=csv").headers["etag"] != first.headers["etag"]
        world.read(SEATS[0], START_MS + HOUR_MS, 5_150.0)
        clock[0] += 6_000
        changed = client.get(path, headers={"if-none-match": first.headers["etag"]})
        assert changed.status_code == 200
        assert changed.headers["etag"] != first.headers["etag"]
        assert changed.content != first.content
