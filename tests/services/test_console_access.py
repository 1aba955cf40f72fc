"""Who may open and send what in the console. Pages and forms come from the app's own routes: one
that the table does not know fails the test, so that a new one cannot be open by accident."""

import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from sqlalchemy import Engine

from seatwatt.api.cookies import form_token
from seatwatt.api.users import disable, give_password
from tests.services.console_kit import (
    PASSWORD,
    ROLES,
    SITE,
    TENANT,
    Browser,
    Building,
    a_building,
    browsing,
    issue_september,
)

OP, EN, BI, TE = ROLES
OF_SITE = "/console/sites/{site}"
RUN = f"{OF_SITE}/runs/{{id}}"
DOORS = {("GET", "/console/log-in"), ("POST", "/console/log-in")}
"""For whoever comes."""

ALLOWED: dict[tuple[str, str], set[str]] = {
    ("GET", "/console"): {OP, EN, BI, TE},
    ("GET", "/console/password"): {OP, EN, BI, TE},
    ("POST", "/console/password"): {OP, EN, BI, TE},
    ("POST", "/console/log-out"): {OP, EN, BI, TE},
    ("GET", "/console/overview"): {OP, EN, BI},
    ("GET", "/console/quarantine"): {OP, EN}, ("POST", "/console/quarantine/replay"): {OP, EN},
    ("GET", "/console/people"): {OP},
    ("GET", f"{OF_SITE}/devices"): {OP, EN, BI},
    ("GET", f"{OF_SITE}/findings"): {OP, EN, BI},
    ("POST", f"{OF_SITE}/findings/reading"): {OP, EN},
    ("POST", f"{OF_SITE}/findings/acceptance"): {OP, EN},
    ("POST", f"{OF_SITE}/findings/exchange"): {OP, EN},
    ("GET", f"{OF_SITE}/billing"): {OP, BI}, ("POST", f"{OF_SITE}/bills"): {OP, BI},
    ("GET", f"{OF_SITE}/charges"): {OP, BI}, ("POST", f"{OF_SITE}/runs"): {OP, BI},
    ("GET", RUN): {OP, BI},
    ("POST", f"{RUN}/{{step}}"): {OP, BI},
    ("GET", f"{OF_SITE}/tenants/{{tenant}}"): {OP, BI, TE},
}
FIELDS = {
    "from": "2026-09-03", "to": "2026-09-05", "id": "1", "meter": "seat/hall/001",
    "at": "2026-09-02T00:00:00+05:00", "register_wh": "1", "reason": "x", "final_wh": "1",
    "initial_wh": "1", "document": "bill: x"}


@pytest.fixture
def building(ledger: Engine) -> Building:
    return a_building(ledger)


@pytest.fixture
def app(building: Building) -> Iterator[FastAPI]:
    app = building.app()
    with browsing(app):  # the app's lifespan, around every browser of the test
        yield app


def forms_and_pages(app: FastAPI) -> set[tuple[str, str]]:
    return {(method, str(route.path)) for route in iter_route_contexts(app.routes)
            if str(route.path).startswith("/console") and "." not in str(route.path)
            for method in (route.methods or set()) - {"HEAD"}}


def try_(browser: Browser, method: str, path: str, token: str, **names: str) -> tuple[int, str]:
    filled = path.format(**{"site": "s", "id": "1", "step": "issue", "tenant": "alpha", **names})
    if method == "GET":
        answer = browser.client.get(filled, follow_redirects=False)
    else:
        answer = browser.client.post(filled, data={**FIELDS, "form_token": token},
                                     follow_redirects=False)
    return answer.status_code, answer.text + answer.headers.get("location", "")


def test_the_table_knows_every_page_and_form(app: FastAPI) -> None:
    assert forms_and_pages(app) == {*ALLOWED, *DOORS}


def test_without_a_log_in_everything_leads_there(app: FastAPI) -> None:
    with browsing(app) as browser:
        for method, path in ALLOWED:
            for site in ("s", "nowhere"):
                token = browser.token("/console/log-in")  # a log-out brings a new one
                status, said = try_(browser, method, path, token, site=site)
                assert status == 303, (method, path, status)
                assert "/console/log-in" in said


@pytest.mark.parametrize("role", ROLES)
def test_every_page_and_form_as_every_role(app: FastAPI, role: str) -> None:
    with browsing(app, role) as browser:
        token = browser.token()
        for (method, path), allowed in ALLOWED.items():
            if path == "/console/log-out":
                continue
            status, said = try_(browser, method, path, token)
            assert status < 500, (method, path, said)
            assert (status == 403) == (role not in allowed), (method, path, status, said)
            assert "log-in" not in said, (method, path)


@pytest.mark.parametrize("role", ROLES)
def test_nobody_sees_another_site(app: FastAPI, role: str) -> None:
    with browsing(app, role) as browser:
        token = browser.token()
        for method, path in ALLOWED:
            if "{site}" not in path:
                continue
            there = try_(browser, method, path, token, site="t", tenant="omega")
            nowhere = try_(browser, method, path, token, site="u", tenant="omega")
            strip = re.compile(r"sites/[tu]/|&#39;[tu]&#39;|[0-9a-f]{16}")
            assert there[0] == 404, (method, path)
            assert strip.sub("", there[1]) == strip.sub("", nowhere[1])
        assert "omega" not in browser.open("/console").lower()


def test_a_tenant_sees_itself_alone(app: FastAPI, building: Building) -> None:
    building.refuse("s")
    with browsing(app, "billing") as billing:
        issue_september(billing)
    with browsing(app, "tenant") as browser:
        shown = browser.open("/console")
        assert "s-000001" in shown
        assert "beta" not in shown.lower()
        for other in ("beta", "operator", "nobody"):
            assert browser.status(f"{SITE}/tenants/{other}") == 404
        statement = "/v1/sites/s/runs/1/statements/"
        assert browser.status(f"{statement}alpha?format=pdf") == 200
        assert browser.status(f"{statement}beta") == 404


@pytest.mark.parametrize("path", ["/console/people", "/console/quarantine"])
def test_who_is_bound_to_a_site_sees_its_lines_alone(app: FastAPI, building: Building,
                                                     path: str) -> None:
    for site in ("s", "t"):
        building.refuse(site)
    with browsing(app, "operator") as browser:
        shown = browser.open(path)
        assert ("&lt;s&gt;" in shown) == (path == "/console/quarantine")
        assert "&lt;t&gt;" not in shown


def test_a_form_without_its_token_changes_nothing(app: FastAPI) -> None:
    with browsing(app, "billing") as browser, browsing(app, "operator") as other:
        for token in ("", "0" * 64, other.token()):
            refused = browser.send(f"{SITE}/runs", token, from_="2026-09-01", to="2026-09-03")
            assert refused.status == 403
            assert "another session" in refused.line
        browser.client.headers["origin"] = "https://elsewhere.example"
        refused = browser.send(f"{SITE}/runs", from_="2026-09-01", to="2026-09-03")
        assert (refused.status, refused.line) == (
            403, "the request comes from a page of another site")
        del browser.client.headers["origin"]
        assert "No period was drafted yet" in browser.open(f"{SITE}/billing")


def test_a_form_that_is_no_text_is_refused(app: FastAPI) -> None:
    with browsing(app) as browser:
        token = browser.token("/console/log-in")
        for fields in ({"name": "a\0b"}, {f"f{n}": "" for n in range(1001)}):
            refused = browser.send("/console/log-in", token, **fields)
            assert refused.status == 422
        endless = browser.send("/console/log-in", token, name="x" * 100_000, password="y")
        assert endless.status == 401


def test_log_out_needs_the_form_too(app: FastAPI) -> None:
    with browsing(app, "tenant") as browser:
        assert browser.send("/console/log-out", "").status == 403
        assert browser.status(TENANT) == 200
        cookie = browser.client.cookies["seatwatt"]
        assert browser.send("/console/log-out").status == 303
        browser.client.cookies.set("seatwatt", cookie)
        assert browser.status(TENANT) == 303


def test_a_session_cannot_be_chosen_for_somebody(app: FastAPI) -> None:
    with browsing(app) as browser:
        browser.client.cookies.set("seatwatt", "planted")
        done = browser.send("/console/log-in", form_token("planted"), name="tenant",
                            password=PASSWORD)
        assert done.status == 303
        given = done.headers["set-cookie"]
        assert "planted" not in given
        assert {"HttpOnly", "SameSite=lax", "Path=/"} <= {
            part.strip() for part in given.split(";")}
        assert "Secure" not in given
    with browsing(app) as stranger:
        stranger.client.cookies.set("seatwatt", "planted")
        assert stranger.status(TENANT) == 303


def test_behind_tls_the_cookie_is_for_it_alone(app: FastAPI) -> None:
    with browsing(app) as browser:
        browser.client.base_url = "https://testserver"
        given = browser.log_in("tenant").headers["set-cookie"]
        assert given.startswith("__Host-seatwatt=")
        assert "Secure" in given


def test_a_session_ends_with_its_time_and_its_user(app: FastAPI, building: Building) -> None:
    with browsing(app, "tenant") as tenant, browsing(app, "billing") as billing:
        disable(building.engine, "tenant", by="boss", now_ms=building.now_ms)
        assert tenant.status(TENANT) == 303
        assert tenant.log_in("tenant").line == "the user tenant is disabled"
        building.now_ms += 3_600_000
        assert billing.status(f"{SITE}/billing") == 303


def test_a_one_time_password_leads_to_its_change(ledger: Engine) -> None:
    building = a_building(ledger)
    building.settings = building.settings.model_copy(update={"api_failed_burst": 5})
    give_password(ledger, "tenant", PASSWORD, one_time=True, by="boss", now_ms=1)
    app = building.app()
    with browsing(app) as browser:
        assert browser.log_in("tenant").location == "/console/password"
        for path in ("/console", TENANT):
            assert browser.client.get(path, follow_redirects=False).headers["location"] == (
                "/console/password")
        change = "/console/password"
        assert "differ" in browser.send(change, old=PASSWORD, new="another phrase!",
                                        again="yet another").line
        assert "12 to 200" in browser.send(change, old=PASSWORD, new="short", again="short").line
        assert "wrong" in browser.send(change, old="x", new="another phrase!",
                                       again="another phrase!").line
        assert browser.send(change, old=PASSWORD, new="another phrase!",
                            again="another phrase!").location == "/console"
        assert browser.status(TENANT) == 200


def test_guessing_at_the_log_in_ends_in_429(ledger: Engine) -> None:
    building = a_building(ledger)
    building.settings = building.settings.model_copy(update={"api_failed_burst": 2})
    with browsing(building.app()) as browser:
        for _ in range(2):
            assert browser.log_in("tenant", "guess").status == 401
        refused = browser.log_in("tenant")
        assert (refused.status, refused.headers["retry-after"]) == (429, "30")
        assert "try again in 30 s" in refused.line
