"""Sites and devices as they were last heard of, health and documentation."""

import re

import pytest
from fastapi.testclient import TestClient

from tests.unit.api.fakes import NOW_MS, World


def test_sites_declared_and_heard_of(client: TestClient, world: World) -> None:
    world.store.hear("wild", "meter/plant/grid", "power", 5.0, NOW_MS)
    assert client.get("/v1/sites").json()["sites"] == [
        {"id": "small", "name": "Small, Peshawar", "time_zone": "Asia/Karachi",
         "currency": "PKR", "declared": True, "has_readings": False},
        {"id": "wild", "name": "wild", "time_zone": None, "currency": None, "declared": False,
         "has_readings": True}]


def test_devices_with_age_and_status(client: TestClient, world: World) -> None:
    world.store.hear("small", "meter/plant/grid", "energy_import", 1200.5, NOW_MS - 400_000)
    world.store.hear("small", "meter/plant/grid", "power", 86.4, NOW_MS - 300_000)
    world.store.hear("small", "seat/hall-a/001", "occupied", 1.0, NOW_MS - 300_001)
    world.store.hear("small", "ups/hall-a/ups-1", "status", "OL CHRG", NOW_MS + 1000)
    answer = client.get("/v1/sites/small/devices").json()
    lines = {line["device"]: line for line in answer["devices"]}
    assert list(lines) == ["meter/hall-a/board", "meter/plant/grid", "seat/hall-a/001",
                           "seat/hall-a/002", "ups/hall-a/ups-1"]
    assert lines["meter/plant/grid"]["status"] == "ok"
    assert lines["meter/plant/grid"]["age_s"] == 300
    assert lines["meter/plant/grid"]["readings"]["energy_import"] == {
        "value": 1200.5, "unit": "Wh", "age_s": 400, "taken_at": "2026-09-21T14:06:40.000+00:00"}
    assert lines["seat/hall-a/001"]["status"] == "silent"
    assert (lines["seat/hall-a/002"]["status"], lines["seat/hall-a/002"]["age_s"]) == (
        "silent", None)
    assert lines["ups/hall-a/ups-1"]["readings"]["status"]["value"] == "OL CHRG"
    assert lines["ups/hall-a/ups-1"]["age_s"] == 0


def test_pages_of_devices_join_to_the_whole(client: TestClient) -> None:
    whole = client.get("/v1/sites/small/devices").json()
    assert whole["next_cursor"] is None
    pages, cursor = [], ""
    while cursor is not None:
        page = client.get("/v1/sites/small/devices", params={"limit": 1, "cursor": cursor}).json()
        pages += page["devices"]
        cursor = page["next_cursor"]
    assert pages == whole["devices"]


@pytest.mark.parametrize("cursor", ["zzz", "seat/hall-a", "desk/hall-a/001", "seat/Hall/001"])
def test_a_cursor_that_is_none_is_refused(client: TestClient, cursor: str) -> None:
    answer = client.get("/v1/sites/small/devices", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, "query.cursor")


def test_a_site_that_is_only_heard_of_has_devices(client: TestClient, world: World) -> None:
    world.store.hear("wild", "meter/plant/grid", "power", 5.0, NOW_MS)
    [line] = client.get("/v1/sites/wild/devices").json()["devices"]
    assert line["device"] == "meter/plant/grid"


def test_ready_names_what_fails(client: TestClient, world: World) -> None:
    assert client.get("/readyz").json() == {
        "ready": True, "dependencies": {"store": "ok", "ledger": "ok"}}
    world.store.down = True
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "does not answer" in answer.json()["dependencies"]["store"]
    assert client.get("/healthz").text == "ok\n"


def test_metrics_count_requests_by_route(client: TestClient) -> None:
    client.get("/v1/sites/small/devices")
    client.get("/v1/sites/none/devices")
    client.get("/nowhere/at/all")
    text = client.get("/metrics").text
    counted = re.findall(r'requests_total\{method="GET",route="(.*?)",status="(\d+)"\}', text)
    assert set(counted) >= {("/v1/sites/{site}/devices", "200"),
                            ("/v1/sites/{site}/devices", "404"), ("other", "404")}


def test_the_documentation_loads_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/docs")
    assert page.status_code == 200
    addresses = re.findall(r"""(?:src|href)=["']([^"']+)""", page.text)
    assert addresses
    for address in addresses:
        assert address.startswith("/")
        assert client.get(address).status_code == 200


def test_the_document_describes_every_error_as_a_problem(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert operation["summary"], path
            assert operation["responses"]["4XX"]["content"] == {"application/problem+json": {
                "schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
    assert "HTTPValidationError" not in document["components"]["schemas"]
