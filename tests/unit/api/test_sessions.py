"""Log-ins: what starts a session, what ends it, and what a stranger may try."""

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from fastapi.testclient import TestClient

from seatwatt.api.cookies import FORM_HEADER
from seatwatt.api.keys import LedgerKeys
from seatwatt.api.passwords import check_new, hashed, is_outdated, matches
from seatwatt.api.problems import Problem
from seatwatt.api.sessions import LedgerSessions
from seatwatt.api.users import disable, enable, give_password
from seatwatt.contract.errors import InputError
from seatwatt.ledger.deeds import list_deeds
from seatwatt.ledger.open import reading
from seatwatt.ledger.people_tables import sessions as session_rows
from seatwatt.ledger.users import find_user, set_password
from tests.unit.api.fakes import World
from tests.unit.api.people import PASSWORD, add, headers_of, log_in

HOUR_MS = 3_600_000


@pytest.fixture
def app(world: World) -> FastAPI:
    return world.app(LedgerKeys(world.ledger, lambda: world.now_ms, world.settings))


@pytest.fixture
def browser(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def sessions(app: FastAPI) -> LedgerSessions:
    found: LedgerSessions = app.state.sessions
    return found


def test_a_session_is_its_user(app: FastAPI, browser: TestClient, world: World) -> None:
    add(world, "ayesha", "tenant", "small", "alpha")
    me = browser.get("/v1/me", headers=log_in(app, "ayesha")).json()
    assert (me["user"], me["role"], me["site"], me["tenant"]) == (
        "ayesha", "tenant", "small", "alpha")
    assert log_in(app, " Ayesha ")


def test_a_change_says_who_made_it(app: FastAPI, browser: TestClient, world: World) -> None:
    add(world, "bina", "operator")
    tag = browser.get("/v1/sites/small", headers=log_in(app, "bina")).headers["etag"]
    browser.patch("/v1/sites/small", headers={**log_in(app, "bina"), "if-match": tag},
                  json={"name": "New"})
    history = browser.get("/v1/sites/small/history", headers=log_in(app, "bina")).json()
    assert history["changes"][-1]["who"] == "bina"


def test_a_change_needs_more_than_the_cookie(app: FastAPI, browser: TestClient,
                                             world: World) -> None:
    add(world, "bina", "operator")
    given = log_in(app, "bina")
    body = {"name": "x", "role": "billing"}
    for stolen in ({"cookie": given["cookie"]}, {**given, FORM_HEADER: "0" * 64},
                   {**given, FORM_HEADER: ""},
                   {**given, "origin": "https://elsewhere.example"}, {**given, "origin": "null"},
                   {**given, "sec-fetch-site": "cross-site"}):
        refused = browser.post("/v1/keys", headers=stolen, json=body)
        assert (refused.status_code, refused.json()["type"]) == (403, "urn:seatwatt:problem:form")
    ours = {**given, "origin": "http://testserver", "sec-fetch-site": "same-origin"}
    assert browser.post("/v1/keys", headers=ours, json=body).status_code == 201


def test_where_access_is_open_other_sites_still_change_nothing(client: TestClient) -> None:
    refused = client.post("/v1/keys", headers={"origin": "https://elsewhere.example"},
                          json={"name": "x", "role": "billing"})
    assert refused.status_code == 403
    assert client.post("/v1/keys", json={"name": "x", "role": "billing"}).status_code == 201


def test_a_session_ends_when_idle_and_at_its_end(sessions: LedgerSessions, world: World) -> None:
    add(world, "ayesha", "billing")
    idle = sessions.log_in("ayesha", PASSWORD, "a").token
    busy = sessions.log_in("ayesha", PASSWORD, "a").token
    for _ in range(12):
        assert sessions.caller(busy) is not None
        world.now_ms += HOUR_MS - 1
    assert sessions.caller(busy) is not None
    assert sessions.caller(idle) is None
    world.now_ms += 12
    assert sessions.caller(busy) is None


def test_an_hour_without_a_request_is_the_end(sessions: LedgerSessions, world: World) -> None:
    add(world, "ayesha", "billing")
    token = sessions.log_in("ayesha", PASSWORD, "a").token
    world.now_ms += HOUR_MS - 1
    assert sessions.caller(token) is not None
    world.now_ms += HOUR_MS
    assert sessions.caller(token) is None


def test_a_session_ends_with_its_user_and_its_password(sessions: LedgerSessions,
                                                       world: World) -> None:
    add(world, "ayesha", "billing")
    token = sessions.log_in("ayesha", PASSWORD, "a").token
    disable(world.ledger, "ayesha", by="boss", now_ms=world.now_ms)
    assert sessions.caller(token) is None
    with pytest.raises(Problem, match="disabled"):
        sessions.log_in("ayesha", PASSWORD, "a")
    enable(world.ledger, "ayesha", by="boss", now_ms=world.now_ms)
    token = sessions.log_in("ayesha", PASSWORD, "a").token
    give_password(world.ledger, "ayesha", "another fine phrase", one_time=True, by="boss",
                  now_ms=world.now_ms)
    assert sessions.caller(token) is None
    with pytest.raises(Problem, match="must be changed"):
        sessions.caller(sessions.log_in("ayesha", "another fine phrase", "a").token)


def test_a_one_time_password_opens_nothing_but_its_change(
        app: FastAPI, browser: TestClient, sessions: LedgerSessions, world: World) -> None:
    add(world, "ayesha", "billing", one_time=True)
    headers = log_in(app, "ayesha")
    refused = browser.get("/v1/sites", headers=headers)
    assert (refused.status_code, refused.json()["detail"]) == (
        403, "the password must be changed first")
    token = headers["cookie"].partition("=")[2]
    for old, new, error in [(PASSWORD, "short", InputError), (PASSWORD, PASSWORD, InputError),
                            (PASSWORD, "ayesha" * 3, InputError),
                            ("wrong", "a quite different one", Problem)]:
        with pytest.raises(error):
            sessions.change_password(token, old, new, "a")
    changed = sessions.change_password(token, PASSWORD, "a quite different one", "a")
    assert sessions.user(token) is None
    assert browser.get("/v1/sites", headers=headers_of(changed.token)).status_code == 200
    with pytest.raises(Problem, match="the session is over"):
        sessions.change_password(token, PASSWORD, "a quite different one", "a")


def test_logging_out_ends_the_session(sessions: LedgerSessions, world: World) -> None:
    add(world, "ayesha", "billing")
    token = sessions.log_in("ayesha", PASSWORD, "a").token
    sessions.log_out(token)
    sessions.log_out(token)
    assert sessions.caller(token) is None


def test_guessing_is_slowed_down_by_address(sessions: LedgerSessions, world: World) -> None:
    add(world, "ayesha", "billing")
    for _ in range(world.settings.api_failed_burst):
        with pytest.raises(Problem, match="name or the password is wrong"):
            sessions.log_in("ayesha", "guess", "1.2.3.4")
    with pytest.raises(Problem) as refused:
        sessions.log_in("ayesha", PASSWORD, "1.2.3.4")
    assert (refused.value.status, refused.value.headers) == (429, {"retry-after": "30"})
    assert sessions.log_in("ayesha", PASSWORD, "5.6.7.8")
    world.now_ms += 30_000
    assert sessions.log_in("ayesha", PASSWORD, "1.2.3.4")


def test_guessing_one_name_from_everywhere_is_slowed_down(sessions: LedgerSessions,
                                                          world: World) -> None:
    for at in range(3 * world.settings.api_failed_burst):
        with pytest.raises(Problem, match="is wrong"):
            sessions.log_in("ayesha", "guess", f"address {at}")
    with pytest.raises(Problem, match="of this user; try again in 10 s"):
        sessions.log_in("ayesha", "guess", "address of another")


def test_a_right_password_does_not_count(sessions: LedgerSessions, world: World) -> None:
    add(world, "ayesha", "billing")
    for _ in range(world.settings.api_failed_burst + 1):
        sessions.log_in("ayesha", PASSWORD, "1.2.3.4")


def test_wrong_keys_are_slowed_down(browser: TestClient, world: World) -> None:
    wrong = {"authorization": "Bearer sw_nobody_guess"}
    for _ in range(world.settings.api_failed_burst):
        assert browser.get("/v1/sites", headers=wrong).status_code == 401
    refused = browser.get("/v1/sites", headers=wrong)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "30")
    assert refused.headers["content-type"] == "application/problem+json"
    assert browser.get("/v1/sites").status_code == 401
    world.now_ms += 30_000
    assert browser.get("/v1/sites", headers=wrong).status_code == 401


def test_a_busy_session_waits(world: World) -> None:
    add(world, "ayesha", "billing")
    settings = world.settings.model_copy(update={"api_rate_per_s": 0.5, "api_rate_burst": 1})
    world.settings = settings
    app = world.app(LedgerKeys(world.ledger, lambda: world.now_ms, settings))
    headers = log_in(app, "ayesha")
    with TestClient(app) as client:
        assert client.get("/v1/me", headers=headers).status_code == 200
        assert client.get("/v1/me", headers=headers).headers["retry-after"] == "2"


def test_the_trail_tells_of_log_ins_and_keeps_no_secret(sessions: LedgerSessions,
                                                        world: World) -> None:
    add(world, "ayesha", "billing")
    token = sessions.log_in("ayesha", PASSWORD, "1.2.3.4").token
    for name in ("ayesha", "my-password-in-the-wrong-field"):
        with pytest.raises(Problem):
            sessions.log_in(name, "guess", "1.2.3.4")
    sessions.log_out(token)
    told = [(deed.who, deed.action) for deed in list_deeds(world.ledger)]
    assert told == [("ayesha", "logged out"), ("somebody", "failed to log in"),
                    ("ayesha", "failed to log in"), ("ayesha", "logged in"), ("test", "added")]
    with reading(world.ledger) as connection:
        kept = str([connection.execute(session_rows.select()).all(), list_deeds(world.ledger),
                    find_user(world.ledger, "ayesha")])
    for secret in (token, PASSWORD, "my-password"):
        assert secret not in kept


def test_a_hash_of_old_parameters_is_renewed(sessions: LedgerSessions, world: World) -> None:
    add(world, "ayesha", "billing")
    for password_hash in ("", "broken"):
        set_password(world.ledger, "ayesha", password_hash, must_change=False)
        with pytest.raises(Problem):
            sessions.log_in("ayesha", PASSWORD, "a")
    weak = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    set_password(world.ledger, "ayesha", weak, must_change=False)
    assert sessions.caller(sessions.log_in("ayesha", PASSWORD, "a").token) is not None
    renewed = find_user(world.ledger, "ayesha")
    assert renewed is not None
    assert not is_outdated(renewed.password_hash)


@pytest.mark.parametrize("password", ["", "short", "x" * 201, "aaaaaaaaaaaaaaaa",
                                      "i-am-ayesha-khan"])
def test_a_password_that_is_no_good_is_refused(password: str) -> None:
    with pytest.raises(InputError):
        check_new(password, "ayesha")


def test_a_short_name_may_be_in_a_password() -> None:
    check_new("correct horse battery", "co")
    assert matches(hashed("correct horse battery"), "correct horse battery")
