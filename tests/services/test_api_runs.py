"""Bills, runs and statements over the API, from entering a bill to the tenant's own statement."""

import io
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from seatwatt.api.access import Role
from seatwatt.api.app import create_app
from seatwatt.api.declarations import LedgerDeclarations
from seatwatt.api.jobs.drafts import month_before, write_month_drafts
from seatwatt.api.keys import LedgerKeys, make_key
from seatwatt.api.routes.papers import KINDS, Kind
from seatwatt.api.scheduler import Scheduler
from seatwatt.api.services import Services
from seatwatt.api.settling import settle
from seatwatt.ledger.sites import save_site
from seatwatt.settings import ApiSettings
from tests.services.run_kit import HOUR_MS, SEATS, Registers, a_bill, a_site, at
from tests.unit.api.fakes import FakeStore

SITE = "/v1/sites/s"
SEPTEMBER = {"from": "2026-09-01", "to": "2026-09-03"}


@dataclass
class Shop:
    """The API over changeable registers, and keys of each role."""

    client: TestClient
    engine: Engine
    registers: Registers
    now: list[int]
    services: Services
    keys: dict[str, dict[str, str]] = field(default_factory=dict)

    def ask(self, role: str, method: str, path: str, **given: Any) -> Any:
        headers = {**self.keys[role], **given.pop("headers", {})}
        return self.client.request(method, f"{SITE}{path}", headers=headers, **given)

    def issued(self) -> int:
        """The id of a run that went all the way."""
        self.ask("billing", "POST", "/bills", json=a_bill())
        run = self.ask("billing", "POST", "/runs", json=SEPTEMBER).json()
        for step in ("approve", "issue"):
            answer = self.ask("billing", "POST", f"/runs/{run['id']}/{step}")
            assert answer.status_code == 200, answer.text
        return int(run["id"])


@pytest.fixture
def shop(ledger: Engine) -> Iterator[Shop]:
    save_site(ledger, a_site(), "test", 1)
    now, registers, store = [at(10).at_ms], Registers(), FakeStore()
    settings = ApiSettings(api_jobs=False)
    services = Services(
        reader=registers, writer=store, ledger=ledger, declarations=LedgerDeclarations(ledger),
        settle=settle, publish=lambda _: None, clock=lambda: now[0], settings=settings)
    keys = LedgerKeys(ledger, services.clock, settings)
    with TestClient(create_app(services, keys), raise_server_exceptions=False) as client:
        shop = Shop(client, ledger, registers, now, services)
        for role, tenant in (("operator", None), ("engineer", None), ("billing", None),
                             ("tenant", "alpha")):
            made = make_key(ledger, name=role, role=Role(role), site="s", tenant=tenant,
                            created_by="test", now_ms=now[0], expires_at_ms=None)
            shop.keys[role] = {"authorization": f"Bearer {made.secret}"}
        yield shop


def test_a_bill_is_entered_corrected_and_withdrawn(shop: Shop) -> None:
    made = shop.ask("billing", "POST", "/bills", json=a_bill())
    assert made.status_code == 201, made.text
    assert (made.headers["etag"], made.headers["location"]) == (
        '"1"', f"{SITE}/bills/pesco-2026-09-01")
    assert shop.ask("billing", "POST", "/bills", json=a_bill()).status_code == 409
    path = "/bills/pesco-2026-09-01"
    dearer = a_bill(amount="120.00")
    assert shop.ask("billing", "PUT", path, json=dearer).status_code == 428
    corrected = shop.ask("billing", "PUT", path, json=dearer, headers={"if-match": '"1"'})
    assert (corrected.status_code, corrected.headers["etag"]) == (200, '"2"')
    assert shop.ask("billing", "PUT", path, json=dearer, headers={"if-match": '"1"'}
                    ).status_code == 412
    [item] = shop.ask("billing", "GET", "/bills").json()["items"]
    assert (item["id"], item["revision"], item["lines"][0]["amount"]) == (
        "pesco-2026-09-01", 2, "120.00")
    assert shop.ask("billing", "DELETE", path, headers={"if-match": '"2"'}).status_code == 204
    assert shop.ask("billing", "GET", path).status_code == 404


@pytest.mark.parametrize(("changed", "where"), [
    ({"payable": "500.00"}, "payable"), ({"currency": "XYZ"}, "currency"),
    ({"lines": [{"id": "e", "amount": "1.005", "share_by": "energy"}]}, "lines[0].amount"),
    ({"lines": [{"id": "e", "amount": "1.00", "share_by": "luck"}]}, "lines[0].share_by"),
    ({"lines": [{"id": "e", "amount": "1.00", "share_by": "energy", "band": "moon"}]}, "band"),
    ({"source": "solar"}, "source"),
    ({"period": {"from": "2025-12-01", "to": "2026-01-01"}, "lines": [
        {"id": "e", "amount": "1.00", "share_by": "energy"},
        {"id": "rent", "amount": "1.00", "share_by": "equal"}]}, "lines[1].share_by"),
    ({"lines": [{"id": "e", "amount": "0.00", "share_by": "energy"},
                {"id": "tax", "amount": "1.00", "share_by": "lines", "lines": ["e"]}]},
     "lines[1].share_by"),
    ({"units": {"kwh": 1e308}}, "units.kwh"),
])
def test_a_wrong_bill_is_refused_and_nothing_is_written(shop: Shop, changed: dict[str, Any],
                                                        where: str) -> None:
    answer = shop.ask("billing", "POST", "/bills", json=a_bill() | changed)
    assert answer.status_code == 422, answer.text
    assert where in answer.json()["errors"][0]["where"]
    assert shop.ask("billing", "GET", "/bills").json()["items"] == []
    assert shop.ask("billing", "POST", "/tariffs", json=a_bill()).status_code == 422
    assert shop.ask("billing", "POST", "/bills", json=a_bill()).status_code == 201
    correction = shop.ask("billing", "PUT", "/bills/pesco-2026-09-01", json=a_bill() | changed,
                          headers={"if-match": '"1"'})
    assert (correction.status_code, correction.json()["errors"]) == (422, answer.json()["errors"])
    assert shop.ask("billing", "GET", "/bills/pesco-2026-09-01").json() == a_bill()


def test_from_draft_to_the_tenants_own_statement(shop: Shop) -> None:
    run = shop.issued()
    line = shop.ask("billing", "GET", f"/runs/{run}").json()
    assert (line["state"], line["blocking"]) == ("issued", [])
    assert line["totals"] == {"alpha": {"PKR": "25.00"}, "beta": {"PKR": "75.00"},
                              "operator": {"PKR": "0.00"}}
    assert line["document"]["balanced"] is True
    [own] = shop.ask("tenant", "GET", "/statements").json()["items"]
    assert (own["party"], own["number"], own["totals"]) == ("alpha", "s-000001", {"PKR": "25.00"})
    one = shop.ask("tenant", "GET", f"/runs/{run}/statements/alpha")
    assert one.json()["charges"][0]["share"] == "25.00"
    again = shop.ask("billing", "GET", f"/runs/{run}/statements/alpha")
    assert (again.content, again.headers["etag"]) == (one.content, one.headers["etag"])
    for party in ("beta", "operator", "nobody"):
        assert shop.ask("tenant", "GET", f"/runs/{run}/statements/{party}").status_code == 404
        assert shop.ask("tenant", "GET", f"/statements?party={party}").status_code == 404
    assert shop.ask("engineer", "GET", f"/runs/{run}/statements/alpha").status_code == 403


def test_charges_are_provisional_until_the_bill_comes(shop: Shop) -> None:
    tariff = {"tariff": "a-2", "supplier": "PESCO", "document": "S.R.O.", "currency": "PKR",
              "from": "2026-01-01", "lines": [{"id": "energy", "price": "10", "per": "kwh"}]}
    assert shop.ask("billing", "POST", "/tariffs", json=tariff).status_code == 201
    before = shop.ask("billing", "GET", "/charges", params=SEPTEMBER).json()
    assert before["bills"][0]["provisional"] is True
    assert before["totals"]["alpha"] == {"PKR": "48.00"}
    shop.ask("billing", "POST", "/bills", json=a_bill())
    shop.now[0] += 1
    after = shop.ask("billing", "GET", "/charges", params=SEPTEMBER).json()
    assert after["bills"][0]["provisional"] is False
    assert after["totals"]["alpha"] == {"PKR": "25.00"}
    assert shop.ask("billing", "GET", "/runs").json()["items"] == []
    noon = {"from": "2026-09-01T12:00:00+05:00", "to": "2026-09-03"}
    assert shop.ask("billing", "GET", "/charges", params=noon).status_code == 422


def test_a_tenant_sees_no_draft(shop: Shop) -> None:
    run = shop.ask("billing", "POST", "/runs", json=SEPTEMBER).json()["id"]
    assert shop.ask("tenant", "GET", "/statements").json()["items"] == []
    assert shop.ask("tenant", "GET", f"/runs/{run}/statements/alpha").status_code == 404
    assert shop.ask("billing", "GET", f"/runs/{run}/statements/alpha").status_code == 200


@pytest.mark.parametrize(("how", "media", "begins"), [
    ("csv", "text/csv", b"statement,"), ("pdf", "application/pdf", b"%PDF-"),
    ("green-button", "application/atom+xml", b"<?xml")])
def test_a_statement_as_people_want_it(shop: Shop, how: str, media: str, begins: bytes) -> None:
    path = f"/runs/{shop.issued()}/statements/alpha"
    by_parameter = shop.ask("tenant", "GET", path, params={"format": how})
    by_accept = shop.ask("tenant", "GET", path, headers={"accept": media})
    assert by_parameter.content == by_accept.content
    assert by_parameter.headers["content-type"].startswith(media)
    assert by_parameter.content.startswith(begins)
    assert "attachment" in by_parameter.headers["content-disposition"]


def test_the_accountants_pack(shop: Shop) -> None:
    run = shop.issued()
    assert len(shop.ask("billing", "GET", f"/runs/{run}/statements").json()["items"]) == 3
    lines = shop.ask("billing", "GET", f"/runs/{run}/pack").text.splitlines()
    assert {line.split(",")[1] for line in lines[1:]} == {"alpha", "beta", "operator"}
    packed = shop.ask("billing", "GET", f"/runs/{run}/pack?format=zip")
    names = zipfile.ZipFile(io.BytesIO(packed.content)).namelist()
    assert len(names) == 3
    assert all(name.endswith(".pdf") for name in names)


def test_two_clients_issue_at_once_and_one_is_refused(shop: Shop) -> None:
    run = shop.ask("billing", "POST", "/runs", json=SEPTEMBER).json()["id"]
    shop.ask("billing", "POST", f"/runs/{run}/approve")
    gate = threading.Barrier(2)

    def issue(_: int) -> int:
        gate.wait()
        return int(shop.ask("billing", "POST", f"/runs/{run}/issue").status_code)

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(issue, range(2))) == [200, 409]
    assert shop.ask("billing", "POST", "/runs", json=SEPTEMBER).status_code == 409
    assert shop.ask("billing", "POST", f"/runs/{run}/reopen").status_code == 409


def test_what_blocks_is_settled_by_hand(shop: Shop) -> None:
    shop.registers.lose(SEATS[0], at(2).at_ms)
    run = shop.ask("billing", "POST", "/runs", json=SEPTEMBER).json()
    assert run["blocking"][0]["meter"] == str(SEATS[0])
    refused = shop.ask("billing", "POST", f"/runs/{run['id']}/approve")
    assert refused.status_code == 409
    assert "block" in refused.json()["detail"]
    wrong = {"device": "seat/hall/099", "at": "2026-09-03T00:00:00+05:00",
             "register_wh": "9600", "reason": "sensor died"}
    assert shop.ask("engineer", "POST", "/hand-readings", json=wrong).status_code == 422
    right = wrong | {"device": "seat/hall/001", "at": "2026-09-03T01:00:00+05:00"}
    assert shop.ask("billing", "POST", "/hand-readings", json=right).status_code == 403
    assert shop.ask("engineer", "POST", "/hand-readings", json=right).status_code == 201
    [kept] = shop.ask("engineer", "GET", "/hand-readings").json()["items"]
    assert (kept["device"], kept["register_wh"], kept["reason"]) == (
        "seat/hall/001", "9600", "sensor died")
    again = shop.ask("billing", "POST", "/runs", json=SEPTEMBER).json()
    assert (again["id"], again["revision"], again["blocking"]) == (run["id"], 2, [])
    stale = {"digest": run["digest"]}
    assert shop.ask("billing", "POST", f"/runs/{run['id']}/approve", json=stale
                    ).status_code == 409
    assert shop.ask("billing", "POST", f"/runs/{run['id']}/approve",
                    json={"digest": again["digest"]}).status_code == 200


def test_a_period_still_open_is_not_approved(shop: Shop) -> None:
    shop.now[0] = at(3).at_ms - HOUR_MS
    run = shop.ask("billing", "POST", "/runs", json=SEPTEMBER).json()["id"]
    refused = shop.ask("billing", "POST", f"/runs/{run}/approve")
    assert refused.status_code == 409
    assert "open" in refused.json()["detail"]


@pytest.mark.parametrize("period", [
    {"from": "2026-09-03", "to": "2026-09-01"}, {"from": "0001-01-01", "to": "9999-12-31"},
    {"from": "2025-01-01", "to": "2026-09-01"}, {"from": "1999-12-01", "to": "2000-01-01"}])
def test_a_period_nobody_means_is_refused(shop: Shop, period: dict[str, str]) -> None:
    answer = shop.ask("billing", "POST", "/runs", json=period)
    assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, "period")
    of_period = a_bill()
    of_period["lines"][0]["of_period"] = period
    shop.ask("billing", "POST", "/bills", json=of_period)
    assert shop.ask("billing", "POST", "/runs", json=SEPTEMBER).status_code in (201, 422)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.path)
def test_the_examples_of_the_document_are_right(shop: Shop, kind: Kind) -> None:
    save_site(shop.engine, a_site(bands={"peak": [{"from": "18:00", "to": "22:00"}]}), "test", 2)
    made = shop.ask("billing", "POST", f"/{kind.path}", json=kind.example)
    assert made.status_code == 201, made.text
    assert shop.ask("billing", "GET", f"/{kind.path}").json()["items"][0]["revision"] == 1


def test_a_run_of_another_site_is_not_there(shop: Shop) -> None:
    run = shop.issued()
    save_site(shop.engine, a_site(site="t"), "test", 1)
    key = make_key(shop.engine, name="x", role=Role.OPERATOR, site=None, tenant=None,
                   created_by="test", now_ms=1, expires_at_ms=None)
    headers = {"x-api-key": key.secret}
    for path in (f"runs/{run}", f"runs/{run}/statements", f"runs/{run}/statements/alpha",
                 f"runs/{run}/pack"):
        assert shop.client.get(f"/v1/sites/t/{path}", headers=headers).status_code == 404
    assert shop.client.post(f"/v1/sites/t/runs/{run}/reopen", headers=headers).status_code == 404


def test_last_months_draft_follows_until_it_is_approved(shop: Shop) -> None:
    shop.now[0] = at(4).at_ms + 30 * 24 * HOUR_MS
    first = write_month_drafts(shop.services, {})
    assert first.detail == "s 2026-09-01 to 2026-10-01: draft 1 of run 1"
    assert write_month_drafts(shop.services, {}).detail.endswith("draft 2 of run 1")
    [run] = shop.ask("billing", "GET", "/runs").json()["items"]
    assert (run["from"], run["drafted"]["by"]) == ("2026-09-01", "month_drafts")
    assert run["blocking"]
    assert month_before(date(2026, 1, 31)).from_ == date(2025, 12, 1)


def test_a_month_that_cannot_be_drafted_is_a_failed_job(shop: Shop) -> None:
    bill = a_bill(lines=[{"id": "hours", "amount": "1.00", "share_by": "occupied_hours"}])
    bill["period"] = {"from": "2026-09-01", "to": "2026-09-04"}
    assert shop.ask("billing", "POST", "/bills", json=bill).status_code == 201
    shop.now[0] = at(4).at_ms + 30 * 24 * HOUR_MS
    scheduler: Scheduler = shop.client.app.state.scheduler  # type: ignore[attr-defined]
    assert scheduler.run(next(job for job in scheduler.jobs if job.name == "month_drafts"))
    jobs = shop.client.get("/v1/jobs", headers=shop.keys["operator"])
    [line] = [each for each in jobs.json()["jobs"] if each["name"] == "month_drafts"]
    assert (line["status"], line["failures"]) == ("failed", 1)
    assert "lines[0].share_by: hours: nobody has weight by occupied_hours" in line["detail"]
    assert shop.ask("billing", "GET", "/runs").json()["items"] == []
