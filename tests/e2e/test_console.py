"""The console in a real browser: Debian's Chromium, driven by Playwright, with scripts off."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from seatwatt.api.server import listen, running
from seatwatt.api.users import give_password
from seatwatt.ledger.open import open_engine
from seatwatt.settings import ApiSettings, LedgerSettings
from tests.servers import program
from tests.services.console_kit import PASSWORD, ROLES, SITE, Building, a_building
from tests.services.run_kit import a_bill

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

OWN = "a phrase of one's own"
BILL = ("bill: pesco-2026-09-01\nsupplier: PESCO\nsource: grid\ncurrency: PKR\n"
        "period: {from: 2026-09-01, to: 2026-09-03}\n"
        "lines:\n  - {id: energy, amount: \"100.00\", share_by: energy}\n")
HEADINGS = {"operator": "Overview", "engineer": "Devices", "billing": "Billing",
            "tenant": "alpha at s"}


@pytest.fixture(scope="module")
def chromium() -> Iterator["playwright.Browser"]:
    """One browser for the module; root's needs leave to run without its sandbox."""
    where = program("chromium")
    flags = ["--no-sandbox"] if os.getuid() == 0 else []
    with playwright.sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=where, args=flags, headless=True)
        yield browser
        browser.close()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(LedgerSettings(ledger_url=f"sqlite:///{tmp_path}/ledger.db"))
    yield engine
    engine.dispose()


@pytest.fixture
def building(engine: Engine) -> Building:
    return a_building(engine)


@pytest.fixture
def address(building: Building) -> Iterator[str]:
    with running(building.app(), listen(ApiSettings(api_port=0))) as url:
        yield url


class Visit:
    """Somebody at the console; what the browser complains of is kept."""

    def __init__(self, chromium: "playwright.Browser", address: str, *, scripts: bool = False,
                 width: int = 1200) -> None:
        self.context = chromium.new_context(java_script_enabled=scripts, base_url=address,
                                            viewport={"width": width, "height": 800})
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", lambda said: said.type == "error"
                     and self.complaints.append(said.text))

    def log_in(self, name: str, password: str = PASSWORD) -> "playwright.Page":
        self.page.goto("/console")
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Log in").click()
        return self.page

    def end(self) -> None:
        self.context.close()
        assert self.complaints == []


@pytest.mark.parametrize("role", ROLES)
def test_each_role_comes_in_by_a_one_time_password(
        chromium: "playwright.Browser", address: str, building: Building, role: str) -> None:
    give_password(building.engine, role, PASSWORD, one_time=True, by="boss", now_ms=1)
    visit = Visit(chromium, address)
    page = visit.log_in(role)
    page.get_by_label("Password until now").fill(PASSWORD)
    page.get_by_label("New password", exact=True).fill(OWN)
    page.get_by_label("New password again").fill(OWN)
    page.get_by_role("button", name="Change it").click()
    assert page.get_by_role("heading", level=1).inner_text().strip() == HEADINGS[role]
    page.get_by_role("button", name="Log out").click()
    assert "You are logged out" in page.get_by_role("status").inner_text()
    page.goto("/console")
    assert page.get_by_role("heading", level=1).inner_text() == "Log in"
    visit.end()


def test_a_period_is_issued_and_its_statement_taken_home(
        chromium: "playwright.Browser", address: str, tmp_path: Path) -> None:
    assert a_bill()["bill"] in BILL
    billing = Visit(chromium, address)
    page = billing.log_in("billing")
    page.get_by_text("Enter one").click()
    page.get_by_label("The text of its file").fill(BILL)
    page.get_by_role("button", name="Enter it").click()
    page.get_by_label("From").fill("2026-09-01")
    page.get_by_label("To, not in it").fill("2026-09-03")
    page.get_by_role("button", name="Draft the period").click()
    for button, said in [("Approve", "Approved"), ("Issue the statements", "Issued")]:
        page.get_by_role("button", name=button).click()
        assert page.get_by_role("status").inner_text().startswith(said)
    row = page.get_by_role("row", name=re.compile("^alpha"))
    assert "4.800" in row.inner_text()
    assert "25.00" in row.inner_text()
    with page.expect_download() as pack:
        page.get_by_role("link", name="ZIP of PDFs").click()
    assert pack.value.suggested_filename == "s-1.zip"
    billing.end()

    tenant = Visit(chromium, address)
    page = tenant.log_in("tenant")
    assert page.locator("svg[role=img] rect").count() == 9
    with page.expect_download() as statement:
        page.get_by_role("link", name="PDF").click()
    statement.value.save_as(tmp_path / "statement.pdf")
    assert (tmp_path / "statement.pdf").read_bytes().startswith(b"%PDF")
    tenant.end()


def test_an_error_is_one_line_and_the_way_back(chromium: "playwright.Browser",
                                               address: str) -> None:
    visit = Visit(chromium, address)
    page = visit.log_in("billing")
    page.get_by_label("From").fill("2026-09-03")
    page.get_by_label("To, not in it").fill("2026-09-01")
    page.get_by_role("button", name="Draft the period").click()
    assert "period" in page.get_by_role("alert").inner_text()
    page.get_by_role("link", name="Go back").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Billing"
    visit.complaints.clear()  # of the 422 itself
    visit.end()


@pytest.mark.parametrize("width", [360, 1200])
def test_no_page_is_wider_than_the_screen(chromium: "playwright.Browser", address: str,
                                          width: int) -> None:
    visit = Visit(chromium, address, scripts=True, width=width)
    page = visit.log_in("operator")
    for path in ("/console/overview", "/console/people", "/console/quarantine",
                 f"{SITE}/devices", f"{SITE}/findings", f"{SITE}/billing",
                 f"{SITE}/tenants/alpha"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    visit.end()
