"""Declarations as resources: the same model as the site file, with ETags and idempotency keys."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.unit.api.fakes import World

SITE = "/v1/sites/small"
LEASE = {"tenant": "alpha", "seats": ["hall-a/001"], "from": "2026-10-01"}


def tag(client: TestClient) -> dict[str, str]:
    return {"if-match": client.get(SITE).headers["etag"]}


def test_a_site_round_trips(client: TestClient) -> None:
    document = client.get(SITE).json()
    assert document["meters"]["plant/grid"]["source"] == "grid"
    answer = client.put(SITE, json={**document, "name": "Renamed"}, headers=tag(client))
    assert answer.json() == {**document, "name": "Renamed"}
    assert answer.headers["etag"] == '"2"'
    copied = client.post("/v1/sites", json={**document, "site": "other"})
    assert (copied.status_code, copied.headers["location"]) == (201, "/v1/sites/other")
    assert client.get("/v1/sites/other").json() == {**document, "site": "other"}


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_change_needs_the_etag_that_was_read(client: TestClient, method: str) -> None:
    document = client.get(SITE).json()
    changed = {**document, "name": "Two"}
    assert client.request(method, SITE, json=changed).status_code == 428
    stale = client.request(method, SITE, json=changed, headers={"if-match": '"9"'})
    assert (stale.status_code, stale.headers["etag"]) == (412, '"1"')
    assert client.request(method, SITE, json=changed, headers={"if-match": '"8", "1"'}
                          ).status_code == 200
    assert client.request(method, SITE, json=changed, headers={"if-match": '"1"'}
                          ).status_code == 412


def test_a_patch_changes_what_it_names(client: TestClient) -> None:
    before = client.get(SITE).json()
    assert before.pop("unaccounted") == {"alarm_pct": 5}
    patch = {"unaccounted": {"alarm_pct": 8}, "seat_meters": None}
    after = client.patch(SITE, json=patch, headers=tag(client)).json()
    assert after.pop("unaccounted") == {"alarm_pct": 8}
    assert after == {key: value for key, value in before.items() if key != "seat_meters"}


@pytest.mark.parametrize("label", ["Läufer", "شفت", "night? 50 % #1", "a/b", "😀"])
def test_a_lease_may_be_called_as_people_speak(client: TestClient, label: str) -> None:
    made = client.post(f"{SITE}/leases", json={**LEASE, "label": label},
                       headers={"idempotency-key": label.encode().hex()})
    assert (made.status_code, made.json()["id"]) == (201, label)
    assert made.headers["location"].isascii()
    there = made.headers["location"]
    assert client.get(there).json() == made.json()
    assert client.patch(there, json={"to": "2026-11-01"}, headers=tag(client)
                        ).json()["to"] == "2026-11-01"


@pytest.mark.parametrize(("patch", "status", "where"), [
    ({"time_zone": "Mars/Base"}, 422, "time_zone"),
    ({"interval": "7min"}, 422, "interval"),
    ({"site": "renamed"}, 422, "site"),
    ({"leases": [{**LEASE, "tenant": "nobody"}]}, 422, "leases[0].tenant"),
    ({"leases": [LEASE, {**LEASE, "tenant": "beta"}]}, 409, "leases[1]"),
    ({"colour": "red"}, 422, "colour"),
])
def test_what_a_site_file_may_not_say_a_request_may_not(
        client: TestClient, patch: dict[str, Any], status: int, where: str) -> None:
    answer = client.patch(SITE, json=patch, headers=tag(client))
    assert answer.status_code == status, answer.text
    assert where in answer.json()["errors"][0]["where"]
    assert client.get(SITE).headers["etag"] == '"1"'


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff", b"null"])
def test_a_body_that_is_no_object_is_refused(client: TestClient, body: bytes) -> None:
    answer = client.post("/v1/sites", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_declared_site_is_not_declared_again(client: TestClient) -> None:
    assert client.post("/v1/sites", json=client.get(SITE).json()).status_code == 409
    assert client.post("/v1/sites", json={}).json()["errors"][0]["where"] == "site"


def test_a_lease_is_made_ended_and_withdrawn(client: TestClient) -> None:
    made = client.post(f"{SITE}/leases", json=LEASE)
    assert (made.status_code, made.json()) == (201, {"id": "lease-1", **LEASE})
    assert made.headers["location"] == f"{SITE}/leases/lease-1"
    refused = client.post(f"{SITE}/leases", json={**LEASE, "tenant": "beta"})
    assert refused.status_code == 409
    assert "lease-1" in refused.json()["detail"]
    ended = client.patch(f"{SITE}/leases/lease-1", json={"to": "2026-11-01"},
                         headers={"if-match": made.headers["etag"]})
    assert ended.json()["to"] == "2026-11-01"
    second = client.post(f"{SITE}/leases", json={**LEASE, "tenant": "beta", "from": "2026-11-01"})
    assert second.json()["id"] == "lease-2"
    assert [item["id"] for item in client.get(f"{SITE}/leases").json()["items"]] == [
        "lease-1", "lease-2"]
    gone = client.delete(f"{SITE}/leases/lease-1", headers={"if-match": second.headers["etag"]})
    assert gone.status_code == 204
    assert client.get(f"{SITE}/leases/lease-1").status_code == 404
    third = client.post(f"{SITE}/leases", json=LEASE | {"to": "2026-11-01"})
    assert third.json()["id"] == "lease-3"


ITEMS = [("zones", {"id": "hall-b", "area_m2": 30}, "hall-b"),
         ("meters", {"id": "hall-a/sub", "parent": "hall-a/board"}, "hall-a/sub"),
         ("tenants", {"id": "gamma", "name": "Gamma"}, "gamma"),
         ("exchanges", {"meter": "seat/hall-a/002", "at": "2026-10-07T11:00:00+05:00",
                        "final_wh": 1200, "initial_wh": 0}, "1"),
         ("acceptances", {"meter": "meter/plant/grid", "at": "2026-10-07T11:00:00+05:00",
                          "reason": "read on site"}, "1"),
         ("bookings", {"tenant": "alpha", "zone": "hall-a", "from": "2026-10-05T10:00:00+05:00",
                       "to": "2026-10-05T12:30:00+05:00"}, "booking-1")]


@pytest.mark.parametrize(("part", "item", "id_"), ITEMS)
def test_every_part_can_be_made_read_and_withdrawn(client: TestClient, part: str,
                                                   item: dict[str, Any], id_: str) -> None:
    made = client.post(f"{SITE}/{part}", json=item)
    assert made.status_code == 201, made.text
    assert made.json()["id"] == id_
    assert client.get(made.headers["location"]).json() == made.json()
    assert made.json() in client.get(f"{SITE}/{part}").json()["items"]
    gone = client.delete(made.headers["location"], headers={"if-match": made.headers["etag"]})
    assert gone.status_code == 204
    assert client.get(made.headers["location"]).status_code == 404


@pytest.mark.parametrize(("part", "item", "status"), [
    ("tenants", {"name": "No id"}, 422), ("tenants", {"id": "alpha"}, 409),
    ("tenants", {"id": "operator"}, 422), ("tenants", {"id": 7}, 422),
    ("exchanges", {"id": "5"}, 422), ("meters", {"id": "hall-a/x", "parent": "hall-z/none"}, 422),
    ("leases", {**LEASE, "seats": ["hall-a/099"]}, 422),
])
def test_a_wrong_item_is_refused(client: TestClient, part: str, item: dict[str, Any],
                                 status: int) -> None:
    assert client.post(f"{SITE}/{part}", json=item).status_code == status
    assert client.get(SITE).headers["etag"] == '"1"'


def test_an_id_does_not_change_and_a_used_tenant_stays(client: TestClient) -> None:
    client.post(f"{SITE}/leases", json=LEASE)
    renamed = client.patch(f"{SITE}/tenants/alpha", json={"id": "omega"}, headers=tag(client))
    assert renamed.status_code == 422
    assert client.delete(f"{SITE}/tenants/alpha", headers=tag(client)).status_code == 422
    assert client.delete(f"{SITE}/tenants/alpha").status_code == 428


def test_a_post_sent_again_is_done_once(client: TestClient) -> None:
    first = client.post(f"{SITE}/leases", json=LEASE, headers={"idempotency-key": "a"})
    again = client.post(f"{SITE}/leases", json=LEASE, headers={"idempotency-key": "a"})
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["idempotent-replay"] == "true"
    other = client.post(f"{SITE}/leases", json={**LEASE, "from": "2027-01-01"},
                        headers={"idempotency-key": "a"})
    assert other.status_code == 409
    assert len(client.get(f"{SITE}/leases").json()["items"]) == 1


def test_a_refused_post_may_be_tried_again_with_its_key(client: TestClient) -> None:
    wrong = {**LEASE, "tenant": "gamma"}
    headers = {"idempotency-key": "b"}
    assert client.post(f"{SITE}/leases", json=wrong, headers=headers).status_code == 422
    client.post(f"{SITE}/tenants", json={"id": "gamma"})
    assert client.post(f"{SITE}/leases", json=wrong, headers=headers).status_code == 201


def test_the_history_tells_who_changed_what_page_by_page(client: TestClient,
                                                         world: World) -> None:
    client.post(f"{SITE}/leases", json=LEASE)
    client.patch(f"{SITE}/leases/lease-1", json={"to": "2026-12-01"}, headers=tag(client))
    changes: list[dict[str, Any]] = []
    cursor: int | None = 0
    while cursor is not None:
        page = client.get(f"{SITE}/history", params={"cursor": cursor, "limit": 2}).json()
        changes, cursor = changes + page["changes"], page["next_cursor"]
    assert [(c["who"], c["action"], c["kind"], c["name"]) for c in changes[-2:]] == [
        ("key open", "added", "lease", "lease-1"), ("key open", "changed", "lease", "lease-1")]
    assert changes[-1]["after"]["to"] == "2026-12-01"
