"""Refused messages over the API: listed by page, shown whole, published again."""

import base64

from fastapi.testclient import TestClient

from seatwatt.contract.readings import QuarantinedMessage
from seatwatt.contract.rules import Rule
from seatwatt.ledger.quarantine import Quarantine
from tests.unit.api.fakes import World

TOPIC = "seatwatt/v1/small/seat/hall-a/001"


def refuse(world: World, *messages: tuple[str, bytes, Rule]) -> None:
    Quarantine(world.ledger).put([QuarantinedMessage(topic, payload, 1000, rule, "why")
                                  for topic, payload, rule in messages])


def test_messages_are_listed_by_page_and_filter(client: TestClient, world: World) -> None:
    refuse(world, (TOPIC, b"\xff", Rule.T01), (TOPIC, b"{}", Rule.T08), ("x/y", b"", Rule.T02))
    page = client.get("/v1/quarantine", params={"limit": 2}).json()
    assert (page["total"], len(page["messages"]), page["next_cursor"]) == (3, 2, 2)
    rest = client.get("/v1/quarantine", params={"cursor": 2}).json()
    assert [line["topic"] for line in rest["messages"]] == ["x/y"]
    assert rest["next_cursor"] is None
    [line] = client.get("/v1/quarantine", params={"rule": "T08"}).json()["messages"]
    assert (line["rule"], line["title"], line["detail"]) == ("T08", "out of bounds", "why")
    assert client.get("/v1/quarantine", params={"site": "small"}).json()["total"] == 2
    assert client.get("/v1/quarantine", params={"rule": "T99"}).status_code == 422


def test_a_message_is_shown_as_it_came(client: TestClient, world: World) -> None:
    refuse(world, (TOPIC, b"\xff", Rule.T01), (TOPIC, b"[]", Rule.T01))
    binary, text = (client.get(f"/v1/quarantine/{id_}").json() for id_ in (1, 2))
    assert (binary["payload"], base64.b64decode(binary["payload_b64"])) == (None, b"\xff")
    assert (text["payload"], text["payload_bytes"]) == ("[]", 2)
    assert client.get("/v1/quarantine/3").status_code == 404


def test_replayed_messages_are_published_and_forgotten(client: TestClient, world: World) -> None:
    refuse(world, (TOPIC, b"a", Rule.T01), (TOPIC, b"b", Rule.T01), (TOPIC, b"c", Rule.T01))
    answer = client.post("/v1/quarantine/replay", json={"ids": [3, 1, 3]})
    assert answer.json() == {"replayed": 2}
    assert world.published == [(TOPIC, b"c"), (TOPIC, b"a")]
    assert client.get("/v1/quarantine").json()["total"] == 1
    assert client.post("/v1/quarantine/replay", json={"ids": [2, 1]}).status_code == 404
    assert client.get("/v1/quarantine").json()["total"] == 1
    assert client.post("/v1/quarantine/replay", json={"ids": []}).status_code == 422
