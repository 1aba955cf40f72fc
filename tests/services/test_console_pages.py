"""What the pages show and the forms do, from a bill to the tenant's statement."""

import json
import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine

from seatwatt.contract.errors import StoreUnavailable
from seatwatt.ledger.deeds import list_deeds
from seatwatt.ledger.hand_readings import list_hand_readings
from seatwatt.ledger.runs import list_runs
from seatwatt.ledger.sites import load_site
from tests.services.console_kit import (
    SITE,
    TENANT,
    Building,
    a_building,
    browsing,
    issue_september,
)
from tests.services.run_kit import SEATS, at

DRAFT = {"from_": "2026-09-01", "to": "2026-09-03"}


@pytest.fixture
def building(ledger: Engine) -> Building:
    return a_building(ledger)


@pytest.fixture
def app(building: Building) -> Iterator[FastAPI]:
    app = building.app()
    with browsing(app):
        yield app


def test_each_role_begins_where_its_work_is(app: FastAPI) -> None:
    for name, path in [("operator", "/console/overview"), ("engineer", f"{SITE}/devices"),
                       ("billing", f"{SITE}/billing"), ("tenant", TENANT)]:
        with browsing(app, name) as browser:
            assert browser.client.get("/").url.path == path
            assert name in browser.open(path)


def test_from_a_bill_to_the_tenants_statement(app: FastAPI, building: Building) -> None:
    with browsing(app, "billing") as browser:
        page = issue_september(browser)
        shown = browser.open(page)
        assert "s-000001" in shown
        # 100 W of 400 for two days, and a quarter of a bill of 100.00: as the routes have it.
        run = browser.client.get("/v1/sites/s/runs/1").json()
        assert run["document"]["parties"]["alpha"]["energy_wh"] == 4800
        assert ">4.800<" in shown
        assert f">{run['totals']['alpha']['PKR']}<" in shown
        [kept] = list_runs(building.engine, "s")
        assert {mark.who for mark in (kept.drafted, kept.approved, kept.issued) if mark} == {
            "billing"}
    with browsing(app, "tenant") as tenant:
        links = re.findall(r'href="(/v1/[^"]+)"', tenant.open(TENANT))
        assert len(links) == 4
        answers = [tenant.client.get(link) for link in links]
        assert [answer.status_code for answer in answers] == [200] * 4
        assert answers[0].content.startswith(b"%PDF")
        assert answers[2].json()["number"] == "s-000001"


def test_the_tenants_month_is_what_the_routes_give(app: FastAPI) -> None:
    with browsing(app, "tenant") as browser:
        shown = browser.open(TENANT)
        span = {"from": "2026-09-01", "to": "2026-09-09T23:00:00+05:00"}
        explained = browser.client.get("/v1/sites/s/explain/alpha", params=span).json()
        energy = browser.client.get("/v1/sites/s/energy", params={**span, "by": "tenant"}).json()
    assert explained["by"] == {"grid": {"offpeak": explained["energy_wh"]}}
    assert f"{explained['energy_wh'] / 1000:,.3f}" in shown
    assert "provisional, up to 9 Sep 2026, 23:00" in shown
    days = energy["series"][0]["points"]
    assert re.findall(r"<title>(\d+ Sep 2026): ([\d.]+) kWh", shown) == [
        (f"{int(day['from'][8:10])} Sep 2026", f"{day['energy_wh'] / 1000:.3f}") for day in days]
    assert len(days) == 9


def test_a_month_gone_by_is_whole_and_a_month_to_come_is_refused(app: FastAPI) -> None:
    with browsing(app, "tenant") as browser:
        august = browser.open(f"{TENANT}?month=2026-08")
        assert "provisional" not in august
        assert "August 2026" in august
        for month in ("2026-10", "2026-13", "x"):
            assert browser.status(f"{TENANT}?month={month}") == 422


def test_the_running_month_as_it_stands(app: FastAPI, building: Building) -> None:
    tariff = ("tariff: t1\nsupplier: PESCO\nsource: grid\ncurrency: PKR\nfrom: 2026-01-01\n"
              "document: SRO 1\nlines: [{id: energy, price: \"40.00\", per: kwh}]\n")
    with browsing(app, "billing") as browser:
        assert browser.send(f"{SITE}/bills", document=tariff).status == 303
        building.now_ms = at(4).at_ms + 5 * 3_600_000
        shown = browser.open(f"{SITE}/charges")
        routes = browser.client.get("/v1/sites/s/charges", params={
            "from": "2026-09-01", "to": "2026-09-04"}).json()
        assert "1 Sep 2026 to 4 Sep 2026" in shown
        assert "provisional, by the tariff" in shown
        for party in ("alpha", "beta"):
            assert f">{routes['totals'][party]['PKR']}<" in shown
        assert routes["totals"]["alpha"] == {"PKR": "288.00"}  # 7.2 kWh at 40
        building.now_ms = at(1).at_ms + 5 * 3_600_000
        assert browser.status(f"{SITE}/charges") == 422
        assert list_runs(building.engine, "s") == []


def test_a_finding_that_blocks_is_settled_from_the_page(app: FastAPI, building: Building) -> None:
    building.registers.lose(SEATS[0], at(3).at_ms - 3 * 3_600_000)
    with browsing(app, "billing") as billing, browsing(app, "operator") as operator:
        billing.send(f"{SITE}/runs", **DRAFT)
        page = f"{SITE}/runs/1"
        shown = billing.open(page)
        assert "1 finding must be settled" in shown
        assert "an engineer records a reading by hand" in shown
        assert "Approve" not in re.findall(r"<button[^>]*>(.*?)</button>", shown)
        found = re.search(r'href="([^"]+#settle)"', operator.open(page))
        assert found is not None
        form = operator.open(found[1].replace("&amp;", "&"))
        [meter, at_text] = (re.findall(rf'name="{name}" value="([^"]*)"', form)[0]
                            for name in ("meter", "at"))
        assert (meter, at_text) == ("seat/hall/001", "2026-09-03T00:00:00+05:00")
        refused = operator.send(f"{SITE}/findings/reading", meter=meter, at=at_text,
                                register_wh="much", reason="estimated")
        assert refused.status == 422
        assert "register_wh" in refused.line
        done = operator.send(f"{SITE}/findings/reading", meter=meter, at=at_text,
                             register_wh="9600", reason="estimated", month="2026-09")
        assert "recorded" in operator.open(done.location)
        assert [each.who for each in list_hand_readings(building.engine, "s")] == ["operator"]
        assert billing.send(f"{page}/draft", **DRAFT).status == 303
        assert "Approve" in billing.open(page)


def test_an_exchange_and_an_acceptance_are_declared(app: FastAPI, building: Building) -> None:
    moment = {"meter": "meter/plant/grid", "at": "2026-09-02T00:00:00+05:00"}
    with browsing(app, "engineer") as browser:
        assert browser.send(f"{SITE}/findings/exchange", **moment, final_wh="28800",
                            initial_wh="28800").status == 303
        assert browser.send(f"{SITE}/findings/acceptance", **moment, reason="seen").status == 303
        refused = browser.send(f"{SITE}/findings/exchange", **moment, final_wh="", initial_wh="0")
        assert refused.status == 422
    site = load_site(building.engine, "s")
    assert (len(site.exchanges), len(site.acceptances)) == (1, 1)


def test_what_was_reviewed_is_what_is_approved(app: FastAPI) -> None:
    with browsing(app, "billing") as browser:
        browser.send(f"{SITE}/runs", **DRAFT)
        refused = browser.send(f"{SITE}/runs/1/approve", digest="0" * 64)
        assert (refused.status, "drafted anew" in refused.line) == (409, True)
        assert browser.send(f"{SITE}/runs/1/burn").status == 404
        assert browser.send(f"{SITE}/runs/1/issue").status == 409


def test_an_approval_taken_back_is_in_the_trail(app: FastAPI, building: Building) -> None:
    with browsing(app, "billing") as browser:
        browser.send(f"{SITE}/runs", **DRAFT)
        page = browser.open(f"{SITE}/runs/1")
        digest = re.findall(r'name="digest" value="(\w+)"', page)[0]
        browser.send(f"{SITE}/runs/1/approve", digest=digest)
        assert browser.send(f"{SITE}/runs/1/reopen").status == 303
    [deed] = [deed for deed in list_deeds(building.engine) if deed.action == "reopened"]
    assert (deed.who, deed.subject, deed.site) == ("billing", "run 1", "s")
    with browsing(app, "operator") as operator:
        assert "reopened" in operator.open("/console/people")


@pytest.mark.parametrize(("document", "line"), [
    ("bill: [", "not YAML"), ("hello: 1", "no bill, tariff or occupancy plan"),
    ("bill: x\nsupplier: y", "currency: is missing"), ("", "no bill")])
def test_a_wrong_bill_is_one_clear_line(app: FastAPI, document: str, line: str) -> None:
    with browsing(app, "billing") as browser:
        refused = browser.send(f"{SITE}/bills", document=document)
        assert refused.status == 422
        assert line in refused.line


def test_refused_messages_are_published_again(app: FastAPI, building: Building) -> None:
    for site in ("s", "s", "t"):
        building.refuse(site)
    with browsing(app, "engineer") as browser:
        shown = browser.open("/console/quarantine?rule=T01")
        ids = re.findall(r'name="id" value="(\d+)"', shown)
        assert ids == ["1", "2"]
        assert "All 2" in shown
        assert browser.send("/console/quarantine/replay").status == 422
        assert browser.send("/console/quarantine/replay", id="3").status == 404
        done = browser.send("/console/quarantine/replay", id="1")
        assert "1 message published again" in browser.open(done.location)
    assert building.published == [("seatwatt/v1/s/seat/hall/001", b"?")]
    assert next(deed.who for deed in list_deeds(building.engine)
                if deed.action == "replayed") == "engineer"


def test_devices_by_kind_and_silence(app: FastAPI) -> None:
    with browsing(app, "engineer") as browser:
        assert browser.open(f"{SITE}/devices").count('<span class="pill warn">silent') == 3
        assert browser.open(f"{SITE}/devices?kind=meter").count("<code>") == 1
        assert "never heard of" in browser.open(f"{SITE}/devices?silent=1")


def test_what_is_away_costs_its_part_of_the_page(app: FastAPI, building: Building,
                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise StoreUnavailable("the store does not answer", retry_after_s=7)

    monkeypatch.setattr(building.registers, "registers", away)
    with browsing(app, "tenant") as browser:
        shown = browser.open(TENANT)
        assert "the store does not answer" in shown
        assert "None was issued yet" in shown
    monkeypatch.setattr(building.registers, "sites", away)
    with browsing(app) as browser:
        browser.log_in("tenant")
        answer = browser.client.get(TENANT)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
        assert "the store does not answer" in answer.text


def test_pages_need_nothing_from_elsewhere_and_no_script(app: FastAPI) -> None:
    with browsing(app, "operator") as browser:
        for path in ("/console/overview", f"{SITE}/billing", f"{SITE}/findings", TENANT,
                     "/console/people", "/console/nowhere"):
            answer = browser.client.get(path)
            assert "default-src 'none'" in answer.headers["content-security-policy"]
            assert answer.headers["cache-control"] == "no-store"
            assert "<script" not in answer.text
            assert not re.search(r"<[^>]+ (?:style|on\w+)=", answer.text)
            for address in re.findall(r'(?:src|href|action)="([^"]+)', answer.text):
                assert address[0] in "/?#", address
        sheet = re.findall(r'rel="stylesheet" href="([^"]+)"', browser.open("/console/people"))[0]
        assert browser.client.get(sheet).headers["content-type"].startswith("text/css")


def test_a_page_to_go_back_to_is_one_of_ours(app: FastAPI) -> None:
    with browsing(app, "operator") as browser:
        for referer, back in [("http://testserver/console/people?x=1", "/console/people?x=1"),
                              ("https://elsewhere.example/a", "/console"), ("//[", "/console")]:
            answer = browser.client.get("/console/nowhere", headers={"referer": referer})
            assert answer.status_code == 404
            assert f'href="{back}"' in answer.text


@pytest.mark.parametrize("next_", ["https://elsewhere.example", "//elsewhere.example", "/docs",
                                   "/console\\@elsewhere", "javascript:alert(1)"])
def test_a_log_in_leads_to_pages_of_ours_alone(app: FastAPI, next_: str) -> None:
    with browsing(app) as browser:
        done = browser.send("/console/log-in", browser.token("/console/log-in"),
                            name="tenant", password="correct horse battery", next=next_)
        assert done.location == "/console"


def test_every_deed_is_told_as_json_too(app: FastAPI) -> None:
    with browsing(app, "operator") as browser:
        browser.log_in("operator", "wrong")
        told = browser.client.get("/v1/deeds").json()
        assert [line["action"] for line in told["deeds"]][:2] == ["failed to log in", "logged in"]
        first = browser.client.get("/v1/deeds", params={"limit": 1}).json()
        older = browser.client.get("/v1/deeds", params={"cursor": first["next_cursor"]}).json()
        assert first["deeds"] + older["deeds"] == told["deeds"]
        users = browser.client.get("/v1/users").json()["users"]
        assert {user["name"]: user["role"] for user in users}["tenant"] == "tenant"
        assert "hash" not in json.dumps(users)
