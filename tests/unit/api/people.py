"""People who are logged in, as tests of the API and the console want them."""

from fastapi import FastAPI

from seatwatt.api.access import Role
from seatwatt.api.cookies import FORM_HEADER, form_token
from seatwatt.api.sessions import LedgerSessions
from seatwatt.api.users import make_user
from tests.unit.api.fakes import NOW_MS, World

PASSWORD = "correct horse battery"


def add(world: World, name: str, role: str, site: str | None = None, tenant: str | None = None,
        one_time: bool = False) -> None:
    """A user with PASSWORD."""
    make_user(world.ledger, name=name, role=Role(role), site=site, tenant=tenant,
              password=PASSWORD, one_time=one_time, by="test", now_ms=NOW_MS)


def headers_of(token: str) -> dict[str, str]:
    """What a page of ours would send."""
    return {"cookie": f"seatwatt={token}", FORM_HEADER: form_token(token)}


def log_in(app: FastAPI, name: str) -> dict[str, str]:
    """The headers of a session of this user."""
    sessions: LedgerSessions = app.state.sessions
    return headers_of(sessions.log_in(name, PASSWORD, "testclient").token)
