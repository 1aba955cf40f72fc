"""`seatwatt user`: who is let in by it, and what it refuses."""

import io
from pathlib import Path

import pytest
from sqlalchemy import Engine

from seatwatt.api.attempts import Attempts
from seatwatt.api.problems import Problem
from seatwatt.api.sessions import LedgerSessions
from seatwatt.ledger.open import open_engine
from seatwatt.ledger.sites import save_site
from seatwatt.settings import ApiSettings, LedgerSettings
from tests.commands import Ended, run
from tests.unit.api.fakes import small_site

OWN = "a phrase of one's own"
CLOCK_MS = 2_000_000_000_000


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    engine = open_engine(LedgerSettings(ledger_url=f"sqlite:///{tmp_path}/ledger.db"))
    save_site(engine, small_site(), "test", 1)
    return engine


@pytest.fixture
def sessions(engine: Engine) -> LedgerSessions:
    settings = ApiSettings()
    return LedgerSessions(engine, lambda: CLOCK_MS, settings,
                          Attempts(lambda: CLOCK_MS, settings))


def user(engine: Engine, *arguments: str) -> Ended:
    return run(["user", *arguments], {"SEATWATT_LEDGER_URL": str(engine.url)})


def test_the_printed_password_opens_once(engine: Engine, sessions: LedgerSessions) -> None:
    password = user(engine, "add", "ayesha", "--role", "tenant", "--site", "small",
                    "--tenant", "alpha").stdout.strip()
    token = sessions.log_in("ayesha", password, "a").token
    with pytest.raises(Problem, match="must be changed"):
        sessions.caller(token)
    changed = sessions.change_password(token, password, OWN, "a")
    caller = sessions.caller(changed.token)
    assert caller is not None
    assert (caller.user, caller.site, caller.tenant) == ("ayesha", "small", "alpha")
    listed = user(engine, "list").stdout
    assert "ayesha" in listed
    assert password not in listed


def test_a_password_from_standard_input(engine: Engine, sessions: LedgerSessions,
                                        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{OWN}\nanother line\n"))
    added = user(engine, "add", "bina", "--role", "billing", "--ask", "--keep", "--by", "amir")
    assert (added.returncode, added.stdout) == (0, "")
    assert sessions.caller(sessions.log_in("bina", OWN, "a").token) is not None
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    refused = user(engine, "password", "bina", "--ask")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "12 to 200" in refused.stderr
    assert "amir" in user(engine, "trail").stdout


def test_a_disabled_user_and_one_who_forgot(engine: Engine, sessions: LedgerSessions) -> None:
    password = user(engine, "add", "adnan", "--role", "engineer").stdout.strip()
    token = sessions.log_in("adnan", password, "a").token
    assert user(engine, "disable", "adnan").returncode == 0
    assert sessions.user(token) is None
    assert "disabled" in user(engine, "list").stdout
    user(engine, "enable", "adnan")
    token = sessions.log_in("adnan", password, "a").token
    anew = user(engine, "password", "adnan").stdout.strip()
    assert sessions.user(token) is None
    assert sessions.log_in("adnan", anew, "a").user.must_change
    with pytest.raises(Problem, match="wrong"):
        sessions.log_in("adnan", password, "a")
    trail = user(engine, "trail", "--limit", "3").stdout
    assert "failed to log in" in trail
    assert "added" not in trail


@pytest.mark.parametrize(("arguments", "line"), [
    (("add", "Ayesha", "--role", "billing"), "no user name"),
    (("add", "x", "--role", "tenant"), "site and tenant"),
    (("add", "x", "--role", "tenant", "--site", "small", "--tenant", "nobody"), "alpha, beta"),
    (("add", "x", "--role", "billing", "--site", "nowhere"), "not declared"),
    (("add", "x", "--role", "billing", "--tenant", "alpha"), "no tenant"),
    (("add", "x", "--role", "billing", "--keep"), "--ask"),
    (("disable", "nobody"), "no user 'nobody'"), (("password", "nobody"), "no user 'nobody'"),
])
def test_what_makes_no_sense_is_one_line(engine: Engine, arguments: tuple[str, ...],
                                         line: str) -> None:
    refused = user(engine, *arguments)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert line in refused.stderr
