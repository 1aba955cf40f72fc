"""Every error is a problem document with the request's id, and never a traceback."""

import logging

import pytest
from fastapi.testclient import TestClient

from seatwatt.contract.errors import ConflictError, StoreMisconfigured
from tests.unit.api.fakes import World

ENERGY = "/v1/sites/small/energy"
OCTOBER = {"from": "2026-10-01", "to": "2026-11-01"}


@pytest.mark.parametrize(("method", "path", "status"), [
    ("GET", "/nowhere", 404),
    ("GET", "/v1/sites/none/devices", 404),
    ("GET", "/v1/sites/none/energy?from=2026-10-01&to=2026-10-02", 404),
    ("GET", "/v1/sites/small/explain/nobody?from=2026-10-01&to=2026-10-02", 404),
    ("POST", "/v1/jobs", 405),
    ("GET", ENERGY, 422),
    ("GET", f"{ENERGY}?from=yesterday&to=2026-10-02", 422),
    ("GET", f"{ENERGY}?from=2026-10-02&to=2026-10-01", 422),
    ("GET", f"{ENERGY}?from=2026-10-01&to=2026-10-01", 422),
    ("GET", f"{ENERGY}?from=2026-10-01&to=2031-10-01", 422),
    ("GET", f"{ENERGY}?from=9999-12-31&to=9999-12-31T23:59:59Z", 422),
    ("GET", f"{ENERGY}?from=2026-02-30&to=2026-03-01", 422),
    ("GET", f"{ENERGY}?from=2026-10-01T00:07:00%2B05:00&to=2026-10-02", 422),
    ("GET", f"{ENERGY}?from=2026-10-01T00:00:00&to=2026-10-02", 422),
    ("GET", f"{ENERGY}?from=2026-10-01&to=2026-10-02&step=week", 422),
    ("GET", f"{ENERGY}?from=2026-10-01&to=2026-10-02&by=person", 422),
    ("GET", f"{ENERGY}?from=2026-10-01&to=2026-10-02&format=xml", 422),
    ("GET", "/v1/sites/small/devices?limit=0", 422),
])
def test_an_error_is_a_problem_document(client: TestClient, method: str, path: str,
                                        status: int) -> None:
    answer = client.request(method, path)
    document = answer.json()
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert document["status"] == status
    assert document["detail"]
    assert document["instance"] == path.split("?")[0]
    assert document["request_id"] == answer.headers["x-request-id"]


def test_405_says_what_is_allowed(client: TestClient) -> None:
    assert client.delete("/v1/jobs").headers["allow"] == "GET"
    assert client.delete("/v1/sites").headers["allow"] == "GET, POST"
    assert client.put("/v1/sites/small/leases/lease-1").headers["allow"] == "DELETE, GET, PATCH"
    assert client.put("/v1/sites/small/meters/hall-a/board").headers["allow"] == \
        "DELETE, GET, PATCH"
    assert client.post("/docs").headers["allow"] == "GET"


def test_a_wrong_time_names_its_field_and_what_was_expected(client: TestClient) -> None:
    [fault] = client.get(ENERGY, params={**OCTOBER, "to": "soon"}).json()["errors"]
    assert fault["where"] == "to"
    assert "'soon'" in fault["problem"]
    assert "RFC 3339" in fault["expected"]


def test_an_unexpected_error_is_500_without_its_text(
        client: TestClient, world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.settle.error = ZeroDivisionError("secret of the house")
    with caplog.at_level(logging.ERROR, "seatwatt.api"):
        answer = client.get(ENERGY, params=OCTOBER, headers={"x-request-id": "mine-1"})
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text
    assert answer.headers["x-request-id"] == answer.json()["request_id"] == "mine-1"
    assert "mine-1" in caplog.text
    assert "secret of the house" in caplog.text


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "new\tline"])
def test_an_improper_request_id_is_replaced(client: TestClient, given: str) -> None:
    assert client.get("/healthz", headers={"x-request-id": given}).headers["x-request-id"] != given


def test_a_body_too_large_is_413(client: TestClient) -> None:
    answer = client.post("/v1/sites", content=b"[" + b" " * 8_000_000,
                         headers={"content-type": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (413,
                                                                    "application/problem+json")


@pytest.mark.parametrize(("codec", "field"), [
    ("utf-8-sig", "body:1: site"), ("utf-16", "body:1: site"), ("utf-16-le", "body:1: site")])
def test_a_body_with_a_byte_order_mark_is_422(client: TestClient, codec: str, field: str) -> None:
    whole = '{"site": "marked", "time_zone": "UTC", "currency": "PKR"}'.encode(codec)
    for content in (whole, (whole[at:at + 1] for at in range(len(whole)))):
        answer = client.post("/v1/sites", content=content,
                             headers={"content-type": "application/json"})
        document = answer.json()
        assert (answer.status_code, document["type"]) == (422, "urn:seatwatt:problem:input")
        assert document["errors"][0]["where"].startswith("body:1")
    assert [fault["where"] for fault in client.post("/v1/sites", content=whole).json()["errors"]
            ] == [field]
    assert client.get("/v1/sites/marked").status_code == 404


@pytest.mark.parametrize("address", ["/v1/sites/%00", "/v1/quarantine?topic=%00"])
def test_a_nul_in_the_address_is_422(client: TestClient, address: str) -> None:
    assert client.get(address).status_code == 422


def test_a_conflict_is_409(client: TestClient, world: World) -> None:
    world.settle.error = ConflictError("leases[1]", "overlaps leases[0]")
    answer = client.get(ENERGY, params=OCTOBER)
    assert answer.status_code == 409
    assert answer.json()["errors"][0]["where"] == "leases[1]"


def test_a_store_that_is_down_is_503_with_retry_after(client: TestClient, world: World) -> None:
    world.store.down = True
    answer = client.get("/v1/sites")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "7"
    assert "127.0.0.1:1" in answer.json()["detail"]


def test_a_store_that_refuses_us_is_503(client: TestClient, world: World) -> None:
    world.settle.error = StoreMisconfigured("the store says 401")
    answer = client.get(ENERGY, params=OCTOBER)
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:seatwatt:problem:store")
