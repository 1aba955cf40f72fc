"""Keys and roles. Every route of the OpenAPI document is walked as every role: a route this table
does not know fails the test, so that a new one cannot be open by accident."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from seatwatt.api.access import Role
from seatwatt.api.keys import LedgerKeys, make_first_key, make_key
from seatwatt.api.rate import RateLimit
from seatwatt.contract.readings import QuarantinedMessage
from seatwatt.contract.rules import Rule
from seatwatt.ledger.keys import list_keys
from seatwatt.ledger.quarantine import Quarantine
from seatwatt.ledger.sites import save_site
from tests.unit.api.fakes import NOW_MS, World, other_site
from tests.unit.api.people import add, log_in

OP, EN, BI, TE = "operator", "engineer", "billing", "tenant"
PARTS = {"zones": {OP, EN}, "meters": {OP, EN}, "exchanges": {OP, EN}, "acceptances": {OP, EN},
         "tenants": {OP, BI}, "leases": {OP, BI}, "bookings": {OP, BI}}
SITE = "/v1/sites/{site}"

ALLOWED: dict[tuple[str, str], set[str]] = {
    ("GET", "/healthz"): set(), ("GET", "/readyz"): set(), ("GET", "/metrics"): set(),
    ("GET", "/v1/users"): {OP}, ("GET", "/v1/deeds"): {OP},
    ("GET", "/v1/me"): {OP, EN, BI, TE},
    ("GET", "/v1/jobs"): {OP, EN},
    ("GET", "/v1/keys"): {OP}, ("POST", "/v1/keys"): {OP}, ("DELETE", "/v1/keys/{id}"): {OP},
    ("GET", "/v1/quarantine"): {OP, EN}, ("GET", "/v1/quarantine/{id}"): {OP, EN},
    ("POST", "/v1/quarantine/replay"): {OP, EN},
    ("GET", "/v1/sites"): {OP, EN, BI, TE}, ("POST", "/v1/sites"): {OP},
    ("GET", SITE): {OP, EN, BI}, ("PUT", SITE): {OP}, ("PATCH", SITE): {OP},
    ("GET", f"{SITE}/history"): {OP, EN, BI},
    ("GET", f"{SITE}/devices"): {OP, EN, BI},
    ("GET", f"{SITE}/energy"): {OP, EN, BI, TE},
    ("GET", f"{SITE}/apportionment"): {OP, EN, BI},
    ("GET", f"{SITE}/explain/{{party}}"): {OP, EN, BI, TE},
    ("GET", f"{SITE}/charges"): {OP, BI},
    ("GET", f"{SITE}/runs"): {OP, BI}, ("POST", f"{SITE}/runs"): {OP, BI},
    ("GET", f"{SITE}/runs/{{id}}"): {OP, BI},
    **{("POST", f"{SITE}/runs/{{id}}/{step}"): {OP, BI}
       for step in ("approve", "reopen", "issue")},
    ("GET", f"{SITE}/runs/{{id}}/statements"): {OP, BI},
    ("GET", f"{SITE}/runs/{{id}}/statements/{{party}}"): {OP, BI, TE},
    ("GET", f"{SITE}/runs/{{id}}/pack"): {OP, BI},
    ("GET", f"{SITE}/statements"): {OP, BI, TE},
    ("GET", f"{SITE}/hand-readings"): {OP, EN, BI}, ("POST", f"{SITE}/hand-readings"): {OP, EN},
    **{(method, f"{SITE}/{kind}{item}"): {OP, BI}
       for kind in ("bills", "tariffs", "occupancy-plans")
       for method, item in (("GET", ""), ("POST", ""), ("GET", "/{id}"), ("PUT", "/{id}"),
                            ("DELETE", "/{id}"))},
    **{("GET", f"{SITE}/{part}"): {OP, EN, BI} for part in PARTS},
    **{("GET", f"{SITE}/{part}/{{id}}"): {OP, EN, BI} for part in PARTS},
    **{("POST", f"{SITE}/{part}"): roles for part, roles in PARTS.items()},
    **{("PATCH", f"{SITE}/{part}/{{id}}"): roles for part, roles in PARTS.items()},
    **{("DELETE", f"{SITE}/{part}/{{id}}"): roles for part, roles in PARTS.items()},
}
"""(method, path) -> who may; an empty set: everybody, no key needed (watchers on the inside)."""


@pytest.fixture
def keyed(world: World) -> Iterator[TestClient]:
    """The app with keys, beside a second site of other tenants."""
    save_site(world.ledger, other_site(), "test", NOW_MS)
    with world.client(LedgerKeys(world.ledger, lambda: world.now_ms, world.settings)) as client:
        yield client


def secret(world: World, role: str, site: str | None = None, tenant: str | None = None,
           expires_at_ms: int | None = None) -> dict[str, str]:
    made = make_key(world.ledger, name=role, role=Role(role), site=site, tenant=tenant,
                    created_by="test", now_ms=NOW_MS, expires_at_ms=expires_at_ms)
    return {"authorization": f"Bearer {made.secret}"}


def opened(door: str, client: TestClient, world: World, role: str, site: str | None = None,
           tenant: str | None = None) -> dict[str, str]:
    """The headers of a key, or of a session, of this role."""
    if door == "key":
        return secret(world, role, site, tenant)
    add(world, role, role, site, tenant)
    app = client.app
    assert isinstance(app, FastAPI)
    return log_in(app, role)


def operations(client: TestClient) -> list[tuple[str, str]]:
    paths = client.get("/openapi.json").json()["paths"]
    return [(method.upper(), path) for path, methods in paths.items() for method in methods]


def ask(client: TestClient, method: str, path: str, site: str, party: str,
        headers: dict[str, str]) -> Any:
    filled = path.format(site=site, party=party, id="1")
    return client.request(method, filled, headers=headers, json={} if method != "GET" else None,
                          params={"from": "2026-10-01", "to": "2026-10-02", "by": "tenant"})


def test_the_table_knows_every_route(keyed: TestClient) -> None:
    assert set(operations(keyed)) == set(ALLOWED)


def test_without_a_key_nothing_opens(keyed: TestClient) -> None:
    for method, path in operations(keyed):
        status = ask(keyed, method, path, "small", "alpha", {}).status_code
        assert (status == 401) == bool(ALLOWED[method, path]), (method, path, status)
        status = ask(keyed, method, path, "nowhere", "alpha", {}).status_code
        assert (status == 401) == bool(ALLOWED[method, path]), (method, path, status)


@pytest.mark.parametrize("door", ["key", "session"])
@pytest.mark.parametrize("role", [OP, EN, BI, TE])
def test_every_route_as_every_role(keyed: TestClient, world: World, role: str, door: str) -> None:
    key = opened(door, keyed, world, role, *(("small", "alpha") if role == TE else ()))
    for method, path in operations(keyed):
        status = ask(keyed, method, path, "small", "alpha", key).status_code
        allowed = ALLOWED[method, path]
        assert status != 401, (method, path)
        assert (status == 403) == bool(allowed and role not in allowed), (method, path, status)
        assert status < 500, (method, path)


@pytest.mark.parametrize("door", ["key", "session"])
@pytest.mark.parametrize("role", [OP, EN, BI, TE])
def test_who_belongs_to_one_site_sees_nothing_of_another(keyed: TestClient, world: World,
                                                         role: str, door: str) -> None:
    key = opened(door, keyed, world, role, "small", "alpha" if role == TE else None)
    for method, path in operations(keyed):
        if "{site}" not in path:
            continue
        answer = ask(keyed, method, path, "other", "omega", key)
        assert answer.status_code == 404, (method, path)
        unknown = ask(keyed, method, path, "nowhere", "omega", key)
        strip = re.compile("other|nowhere|[0-9a-f]{16}")
        assert strip.sub("", answer.text) == strip.sub("", unknown.text)
    assert [site["id"] for site in keyed.get("/v1/sites", headers=key).json()["sites"]] == [
        "small"]


@pytest.mark.parametrize("door", ["key", "session"])
def test_a_tenant_sees_itself_alone(keyed: TestClient, world: World, door: str) -> None:
    key = opened(door, keyed, world, TE, "small", "alpha")
    for by, step, ids in [("tenant", "day", ["alpha"]), ("seat", "total", ["seat/hall-a/001"])]:
        shown = keyed.get("/v1/sites/small/energy", headers=key, params={
            "from": "2026-10-01", "to": "2026-10-02", "by": by, "step": step}).json()
        assert [series["id"] for series in shown["series"]] == ids
    for by, step in [("meter", "total"), ("zone", "day"), ("seat", "day"), ("seat", "interval")]:
        refused = keyed.get("/v1/sites/small/energy", headers=key, params={
            "from": "2026-10-01", "to": "2026-10-02", "by": by, "step": step})
        assert refused.status_code == 403
    for party, status in [("alpha", 200), ("beta", 404), ("operator", 404), ("nobody", 404)]:
        assert ask(keyed, "GET", f"{SITE}/explain/{{party}}", "small", party, key
                   ).status_code == status
    assert keyed.get("/v1/me", headers=key).json() | {"key_id": ""} == {
        "key_id": "", "user": None if door == "key" else TE, "role": "tenant", "site": "small",
        "tenant": "alpha"}


def test_who_sits_at_a_seat_is_not_billings_business(keyed: TestClient, world: World) -> None:
    world.store.hear("small", "seat/hall-a/001", "occupied", 1.0, NOW_MS)
    world.store.hear("small", "seat/hall-a/001", "power", 80.0, NOW_MS)
    shown = {}
    for role in (EN, BI):
        devices = keyed.get("/v1/sites/small/devices", headers=secret(world, role)).json()
        shown[role] = {line["device"]: set(line["readings"]) for line in devices["devices"]}
    assert shown[EN]["seat/hall-a/001"] == {"occupied", "power"}
    assert shown[BI]["seat/hall-a/001"] == {"power"}


def test_a_site_engineer_sees_the_quarantine_of_the_site(keyed: TestClient,
                                                         world: World) -> None:
    Quarantine(world.ledger).put([
        QuarantinedMessage(f"seatwatt/v1/{site}/seat/hall-a/001", b"", 1, Rule.T01, "")
        for site in ("small", "other")])
    key = secret(world, EN, "small")
    assert keyed.get("/v1/quarantine", headers=key).json()["total"] == 1
    assert keyed.get("/v1/quarantine?site=other", headers=key).status_code == 404
    assert keyed.get("/v1/quarantine/1", headers=key).status_code == 200
    assert keyed.get("/v1/quarantine/2", headers=key).status_code == 404
    assert keyed.post("/v1/quarantine/replay", headers=key, json={"ids": [1, 2]}
                      ).status_code == 404
    assert world.published == []


@pytest.mark.parametrize("given", [
    "", "x", "sw_", "sw__", "sw_first_", "sw_first_guess", "Bearer", "sw_" + "a" * 500 + "_b",
    "sw_nobody_guess"])
def test_a_wrong_key_opens_nothing(keyed: TestClient, world: World, given: str) -> None:
    make_first_key(world.ledger, NOW_MS)
    for headers in ({"authorization": f"Bearer {given}"}, {"x-api-key": given},
                    {"authorization": f"Basic {given}"}):
        answer = keyed.get("/v1/sites", headers=headers)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


def test_a_key_with_another_ones_secret_opens_nothing(keyed: TestClient, world: World) -> None:
    one, two = (secret(world, OP)["authorization"].split("_", 2) for _ in range(2))
    mixed = "_".join([one[0], one[1], two[2]])
    assert keyed.get("/v1/sites", headers={"authorization": mixed}).status_code == 401


def test_keys_expire_and_are_revoked(keyed: TestClient, world: World) -> None:
    operator, short = secret(world, OP), secret(world, OP, expires_at_ms=NOW_MS + 5000)
    assert keyed.get("/v1/sites", headers=short).status_code == 200
    world.now_ms += 5000
    assert keyed.get("/v1/sites", headers=short).status_code == 401
    made = keyed.post("/v1/keys", headers=operator, json={"name": "x", "role": "billing"}).json()
    key = {"x-api-key": made["secret"]}
    assert keyed.get("/v1/sites", headers=key).status_code == 200
    assert keyed.delete(f"/v1/keys/{made['id']}", headers=operator).status_code == 204
    world.now_ms += 2000
    refused = keyed.get("/v1/sites", headers=key)
    assert (refused.status_code, refused.json()["detail"]) == (401, "the API key was revoked")
    assert keyed.delete("/v1/keys/none", headers=operator).status_code == 404


@pytest.mark.parametrize(("wanted", "where"), [
    ({"role": "tenant"}, "tenant"), ({"role": "tenant", "site": "small"}, "tenant"),
    ({"role": "tenant", "site": "small", "tenant": "nobody"}, "tenant"),
    ({"role": "billing", "site": "nowhere"}, "site"),
    ({"role": "billing", "site": "small", "tenant": "alpha"}, "tenant"),
    ({"role": "billing", "expires_at": "2026-01-01T00:00:00"}, "expires_at"),
    ({"role": "billing", "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
    ({"role": "king"}, "body.role"),
])
def test_a_key_that_makes_no_sense_is_refused(keyed: TestClient, world: World,
                                              wanted: dict[str, str], where: str) -> None:
    answer = keyed.post("/v1/keys", headers=secret(world, OP), json={"name": "x", **wanted})
    assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, where)


def test_a_site_operator_manages_the_keys_of_its_site(keyed: TestClient, world: World) -> None:
    key, elsewhere = secret(world, OP, "small"), secret(world, OP)
    made = keyed.post("/v1/keys", headers=key, json={"name": "x", "role": "engineer"}).json()
    assert made["site"] == "small"
    assert keyed.post("/v1/keys", headers=key, json={"name": "x", "role": "engineer",
                                                     "site": "other"}).status_code == 422
    assert {line["site"] for line in keyed.get("/v1/keys", headers=key).json()["keys"]} == {
        "small"}
    other_id = elsewhere["authorization"].split("_")[1]
    assert keyed.delete(f"/v1/keys/{other_id}", headers=key).status_code == 404


def test_no_secret_is_kept(keyed: TestClient, world: World) -> None:
    operator = secret(world, OP)
    made = keyed.post("/v1/keys", headers=operator, json={"name": "x", "role": "billing"}).json()
    random = made["secret"].split("_", 2)[2]
    assert random not in str(list_keys(world.ledger))
    assert random not in keyed.get("/v1/keys", headers=operator).text


def test_a_key_used_too_often_waits(world: World) -> None:
    limit = RateLimit(per_s=2, burst=3)
    assert [limit.take("a", 0) for _ in range(4)] == [0, 0, 0, 1]
    assert limit.take("b", 0) == 0
    assert [limit.take("a", 1000) for _ in range(3)] == [0, 0, 1]
    assert limit.take("a", 0) == 1


def test_too_many_requests_are_429_with_retry_after(world: World) -> None:
    settings = world.settings.model_copy(update={"api_rate_per_s": 0.5, "api_rate_burst": 1})
    key = secret(world, OP)
    with world.client(LedgerKeys(world.ledger, lambda: world.now_ms, settings)) as client:
        assert client.get("/v1/sites", headers=key).status_code == 200
        refused = client.get("/v1/sites", headers=key)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "2")
        world.now_ms += 2000
        assert client.get("/v1/sites", headers=key).status_code == 200
