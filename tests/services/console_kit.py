"""The console over a small site's real ledger and registers, and browsers of several people."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from seatwatt.api.access import Role
from seatwatt.api.app import create_app
from seatwatt.api.declarations import LedgerDeclarations
from seatwatt.api.keys import LedgerKeys
from seatwatt.api.services import Services
from seatwatt.api.settling import settle
from seatwatt.api.users import make_user
from seatwatt.contract.readings import QuarantinedMessage
from seatwatt.contract.rules import Rule
from seatwatt.ledger.quarantine import Quarantine
from seatwatt.ledger.sites import save_site
from seatwatt.settings import ApiSettings
from tests.services.run_kit import Registers, a_bill, a_site, at
from tests.unit.api.fakes import FakeStore

PASSWORD = "correct horse battery"
SITE = "/console/sites/s"
TENANT = f"{SITE}/tenants/alpha"
ROLES = ("operator", "engineer", "billing", "tenant")


@dataclass
class Building:
    """A site `s` with tenants alpha and beta, a site `t` beside it, and a user of each role.

    The clock stands at the tenth of September 2026; every role's user is bound to site `s`.
    """

    engine: Engine
    settings: ApiSettings
    registers: Registers = field(default_factory=Registers)
    store: FakeStore = field(default_factory=FakeStore)
    now_ms: int = at(10).at_ms
    published: list[tuple[str, bytes]] = field(default_factory=list)

    def app(self) -> FastAPI:
        services = Services(
            reader=self.registers, writer=self.store, ledger=self.engine,
            declarations=LedgerDeclarations(self.engine), settle=settle,
            publish=self.published.extend, clock=lambda: self.now_ms, settings=self.settings)
        return create_app(services, LedgerKeys(self.engine, services.clock, self.settings))

    def people(self, *, one_time: bool = False) -> None:
        for role in ROLES:
            make_user(self.engine, name=role, role=Role(role), site="s",
                      tenant="alpha" if role == "tenant" else None, password=PASSWORD,
                      one_time=one_time, by="test", now_ms=self.now_ms)

    def refuse(self, site: str) -> None:
        """A message of the site ends in quarantine."""
        Quarantine(self.engine).put([QuarantinedMessage(
            f"seatwatt/v1/{site}/seat/hall/001", b"?", self.now_ms, Rule.T01, f"<{site}>")])


def a_building(engine: Engine) -> Building:
    """Declared and with its people."""
    save_site(engine, a_site(), "test", 1)
    save_site(engine, a_site(site="t", tenants={"omega": {"name": "Omega"}}, leases=[]), "test", 1)
    building = Building(engine, ApiSettings(api_jobs=False, api_failed_burst=1000))
    building.people()
    return building


class Browser:
    """Follows links as a person does: cookies kept, forms sent as they stand on the page."""

    def __init__(self, app: FastAPI) -> None:
        self.client = TestClient(app, raise_server_exceptions=False)

    def open(self, path: str) -> str:
        """The page's text, whatever its status."""
        return self.client.get(path).text

    def status(self, path: str) -> int:
        return self.client.get(path, follow_redirects=False).status_code

    def token(self, path: str = "/console/password") -> str:
        """The token that forms of this browser carry."""
        found = re.search(r'name="form_token" value="(\w+)"', self.open(path))
        assert found is not None, path
        return found[1]

    def send(self, path: str, token: str | None = None, **fields: str) -> "Sent":
        """Send a form; `from_` names a field called `from`."""
        given = {name.rstrip("_"): value for name, value in fields.items()}
        given["form_token"] = self.token() if token is None else token
        answer = self.client.post(path, data=given, follow_redirects=False)
        return Sent(answer.status_code, answer.headers.get("location", ""), answer.text,
                    dict(answer.headers))

    def log_in(self, name: str, password: str = PASSWORD) -> "Sent":
        return self.send("/console/log-in", self.token("/console/log-in"), name=name,
                         password=password, next="/console")


@dataclass(frozen=True)
class Sent:
    """How a form was answered."""

    status: int
    location: str
    text: str
    headers: dict[str, str]

    @property
    def line(self) -> str:
        """The one clear line of a page that says what went wrong."""
        found = re.search(r'role="alert">(.*?)</p>', self.text)
        assert found is not None, self.text
        return found[1]


@contextmanager
def browsing(app: FastAPI, name: str | None = None) -> Iterator[Browser]:
    """A browser; logged in, if a name is given."""
    browser = Browser(app)
    with browser.client:
        if name is not None:
            assert browser.log_in(name).status == 303
        yield browser


def issue_september(browser: Browser) -> str:
    """Bill, draft, approve and issue as billing does; the run's page."""
    entered = browser.send(f"{SITE}/bills", document=_as_yaml())
    assert entered.status == 303, entered.line
    drafted = browser.send(f"{SITE}/runs", from_="2026-09-01", to="2026-09-03")
    assert drafted.status == 303, drafted.line
    page = drafted.location.partition("?")[0]
    found = re.search(r'name="digest" value="(\w+)"', browser.open(page))
    assert found is not None
    for step in ("approve", "issue"):
        assert browser.send(f"{page}/{step}", digest=found[1]).status == 303
    return page


def _as_yaml() -> str:
    bill = a_bill()
    line = bill["lines"][0]
    return (f"bill: {bill['bill']}\nsupplier: PESCO\nsource: grid\ncurrency: PKR\n"
            f"period: {{from: 2026-09-01, to: 2026-09-03}}\n"
            f"lines: [{{id: {line['id']}, amount: \"{line['amount']}\", share_by: energy}}]\n")
