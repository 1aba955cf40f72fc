"""The API over a real store and ledger: the examples' numbers, and a real building's registers."""

import gzip
import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from seatwatt.contract.devices import Device
from seatwatt.contract.quantities import quantity
from seatwatt.contract.readings import ReadingBatch, SeriesBook
from seatwatt.contract.sitefile import parse_site
from seatwatt.settings import StoreSettings
from seatwatt.store.sitefiles import load_site
from tests.servers import Server
from tests.services.api_worlds import client_on, declare, fill, services_on
from tests.shared import shared


@pytest.fixture(params=["sqlite", "influx"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> StoreSettings:
    if request.param == "sqlite":
        return StoreSettings(store_url=f"sqlite:///{tmp_path}/readings.db")
    server: Server = request.getfixturevalue("influx")
    return StoreSettings(store_url=f"http://127.0.0.1:{server.port}/seatwatt")


@pytest.mark.parametrize("name", ["one", "two", "three", "five", "six"])
def test_the_examples_numbers(store: StoreSettings, tmp_path: Path, name: str) -> None:
    folder = shared(f"examples/{name}")
    expected = json.loads((folder / "expected.json").read_text())
    site = load_site(folder / "site.yaml")
    with services_on(store, tmp_path) as services, client_on(services) as client:
        fill(services.writer, folder / "readings.ndjson.gz")
        declare(services, site)
        period = {"from": expected["from"], "to": expected["to"]}
        shown = client.get(f"/v1/sites/{site.id}/apportionment", params=period).json()
        _same_energies(shown, expected)
        _parties_add_up_in_every_interval(client, site.id, period)
        for party, cells in shown["parties"].items():
            lines = client.get(f"/v1/sites/{site.id}/explain/{party}", params=period).json()
            assert lines["energy_wh"] == cells["energy_wh"]


def test_a_register_that_is_not_declared_is_a_finding(store: StoreSettings, tmp_path: Path) -> None:
    site = parse_site({"site": "s", "time_zone": "Asia/Karachi", "currency": "PKR",
                       "zones": {"hall": {"seats": 1}},
                       "meters": {"plant/grid": {"source": "grid"}},
                       "seat_meters": {"parent": "supply"}})
    book, batch = SeriesBook(), ReadingBatch()
    start_ms = 1_790_000_000_000 // 86_400_000 * 86_400_000
    for device in ("meter/plant/grid", "meter/roof/lift", "seat/hall/001", "seat/hall/x9"):
        found = Device.parse(device)
        name = "energy" if found.kind == "seat" else "energy_import"
        for hour in range(73):
            batch.append(book.get("s", found, quantity(found.kind, name)),
                         start_ms + 3_600_000 * hour, float(hour))
    with services_on(store, tmp_path) as services, client_on(services) as client:
        services.writer.write(batch)
        declare(services, site)
        told = client.get("/v1/sites/s/apportionment",
                          params={"from": "2026-09-22", "to": "2026-09-23"}).json()["findings"]
        assert [(each["rule"], each["meter"], each["detail"].split(";")[0]) for each in told
                if each["rule"] == "B04"] == [
            ("B04", "meter/roof/lift", "24 readings of energy_import"),
            ("B04", "seat/hall/x9", "24 readings of energy")]


def _same_energies(shown: dict[str, Any], expected: dict[str, Any]) -> None:
    assert shown["balanced"] is True
    for party, cells in expected["parties"].items():
        for name in ("energy_wh", "direct_wh", "shared_wh", "unaccounted_wh"):
            assert shown["parties"][party][name] == pytest.approx(cells[name], abs=1), (party, name)


def _parties_add_up_in_every_interval(client: TestClient, site: str,
                                      period: dict[str, str]) -> None:
    """Parties, and zones with what is unaccounted, are the sources' sum in every interval."""
    def sums(by: str, of: str = "") -> list[int]:
        answer = client.get(f"/v1/sites/{site}/energy",
                            params={**period, "by": by, "step": "interval"}).json()
        rows = [series["points"] for series in answer["series"] if series["id"].startswith(of)]
        return [sum(round(point["energy_wh"] * 1000) for point in points)
                for points in zip(*rows, strict=True)]

    supply = sums("meter", "meter/plant/")
    assert sums("tenant") == supply
    assert sums("zone") == supply


BUILDING = {
    "site": "block", "name": "Academic block", "time_zone": "Asia/Kolkata", "currency": "INR",
    "zones": {**{f"floor-{n}": {"seats": 1} for n in range(1, 6)}, "plant": {}},
    "meters": {"plant/mains": {"source": "grid"},
               **{f"floor-{n}/board": {"parent": "supply", "share": "seats"} for n in range(1, 6)},
               "plant/lifts": {"parent": "supply", "share": "seats"},
               "plant/ahu0": {"parent": "supply", "share": "seats"}},
    "tenants": {f"tenant-{n}": {} for n in range(1, 6)},
    "leases": [{"tenant": f"tenant-{n}", "zones": [f"floor-{n}"], "from": "2014-01-01"}
               for n in range(1, 6)],
}
JUNE_KWH = {"plant/mains": 18134.232, "floor-1/board": 4355.687, "floor-2/board": 4236.959,
            "floor-3/board": 1736.003, "floor-4/board": 1535.932, "floor-5/board": 4021.955,
            "plant/lifts": 446.111, "plant/ahu0": 766.123}


@pytest.fixture
def building(store: StoreSettings, tmp_path: Path) -> Iterator[TestClient]:
    with services_on(store, tmp_path) as services, client_on(services) as client:
        book = SeriesBook()
        for name in JUNE_KWH:
            zone, meter = name.split("/")
            file = zone.replace("-", "") if zone.startswith("floor") else meter
            services.writer.write(_registers(book, Device("meter", zone, meter), file))
        declare(services, parse_site(BUILDING))
        yield client


def _registers(book: SeriesBook, device: Device, name: str) -> ReadingBatch:
    series, batch = book.get("block", device, quantity("meter", "energy_import")), ReadingBatch()
    with gzip.open(shared(f"data/combed/{name}_energy.csv.gz"), "rt") as file:
        for line in file:
            at, value = line.split(",")
            batch.append(series, round(float(at)), float(value))
    return batch


def test_a_real_buildings_registers(building: TestClient) -> None:
    june = {"from": "2014-06-03", "to": "2014-07-01"}
    answer = building.get("/v1/sites/block/energy", params={**june, "step": "total"}).json()
    shown = {series["id"]: series["energy_wh"] for series in answer["series"]}
    assert {name: round(shown[f"meter/{name}"] / 1000, 3) for name in JUNE_KWH} == JUNE_KWH
    utc = {"from": "2014-06-03T00:00:00Z", "to": "2014-06-30T00:00:00Z", "step": "total"}
    [mains] = [series for series in building.get("/v1/sites/block/energy", params=utc).json()
               ["series"] if series["id"] == "meter/plant/mains"]
    assert round(mains["energy_wh"] / 1000, 3) == 17437.647

    parties = building.get("/v1/sites/block/apportionment", params=june).json()["parties"]
    milliwh = {party: round(cells["energy_wh"] * 1000) for party, cells in parties.items()}
    assert sum(milliwh.values()) == round(shown["meter/plant/mains"] * 1000)
    unaccounted = sum(round(cells["unaccounted_wh"] * 1000) for cells in parties.values())
    assert round(unaccounted / 1e6, 1) == 1035.5

    days = building.get("/v1/sites/block/energy", params={**june, "by": "zone"}).json()["series"]
    assert {series["id"] for series in days} == {*BUILDING["zones"], "unaccounted"}
    first = date(2014, 6, 3)
    for series in days:
        assert [point["from"][:10] for point in series["points"]] == [
            str(first + timedelta(days=n)) for n in range(28)]
