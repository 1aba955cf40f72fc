"""From files to issued statements by the commands alone, on the embedded store and ledger."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from seatwatt.contract.quantities import quantity
from seatwatt.contract.readings import ReadingBatch, SeriesBook
from seatwatt.contract.sitedocument import site_document
from seatwatt.settings import StoreSettings
from seatwatt.store.open import open_writer
from tests.commands import run
from tests.services.run_kit import GRID, Registers, a_bill, a_site, at


class Office:
    """A folder with a ledger, a store with readings, and the commands that work on them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {"SEATWATT_LEDGER_URL": f"sqlite:///{folder}/ledger.db",
                    "SEATWATT_STORE_URL": f"sqlite:///{folder}/readings.db", "COLUMNS": "160",
                    "USER": "amir"}

    def run(self, *arguments: str, fails: bool = False) -> str:
        """What the command prints: to standard error where it `fails`."""
        ended = run(list(arguments), self.env, self.folder)
        if fails:
            assert (ended.returncode, ended.stderr.count("\n")) == (2, 1), ended.stderr
            return ended.stderr
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def write(self, name: str, document: object) -> str:
        (self.folder / name).write_text(yaml.safe_dump(document, sort_keys=False))
        return name


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Declared and read, with no bill and no run yet."""
    office = Office(tmp_path_factory.mktemp("office"))
    writer = open_writer(StoreSettings(store_url=office.env["SEATWATT_STORE_URL"]))
    batch, book = ReadingBatch(), SeriesBook()
    for device, column in Registers().columns_of.items():
        series = book.get("s", device, quantity(
            device.kind, "energy_import" if device == GRID else "energy"))
        for taken, value in zip(column.times_ms.tolist(), column.values.tolist(), strict=True):
            batch.append(series, taken, value)
    writer.write(batch)
    writer.close()
    office.run("site", "apply", office.write("site.yaml", site_document(a_site())))
    return office


@pytest.fixture
def office(template: Office, tmp_path: Path) -> Office:
    for name in ("ledger.db", "readings.db"):
        with closing(sqlite3.connect(template.folder / name)) as source, closing(
                sqlite3.connect(tmp_path / name)) as copy:
            source.backup(copy)
    return Office(tmp_path)


def test_from_a_bill_to_numbered_statements(office: Office) -> None:
    assert "bill pesco-2026-09-01: revision 1" in office.run(
        "bill", "add", office.write("bill.yaml", a_bill()), "--site", "s")
    assert "pesco-2026-09-01" in office.run("bill", "list", "--site", "s")
    assert yaml.safe_load(office.run("bill", "show", "pesco-2026-09-01", "--site", "s")
                          ) == a_bill()
    drafted = office.run("run", "draft", "--site", "s", "--from", "2026-09-01",
                         "--to", "2026-09-03")
    assert "PKR 75.00" in drafted
    office.run("run", "approve", "1")
    assert "3 statements, s-000001 to s-000003" in office.run("run", "issue", "1")
    assert "3 statements come out the same" in office.run("run", "verify", "1")
    assert "it is issued; expected approved" in office.run("run", "issue", "1", fails=True)
    assert "issued" in office.run("run", "list", "--site", "s")
    assert json.loads(office.run("run", "show", "1", "--json"))["totals"]["beta"] == {
        "PKR": "75.00"}
    statement = json.loads(office.run("statement", "show", "1", "alpha"))
    assert (statement["number"], statement["totals"]) == ("s-000001", {"PKR": "25.00"})
    assert "s-000002" in office.run("statement", "list", "--site", "s", "--party", "beta")


def test_of_several_files_with_a_wrong_one_none_is_kept(office: Office) -> None:
    early = a_bill(bill="early") | {"period": {"from": "2025-12-01", "to": "2026-01-01"}}
    early["lines"].append({"id": "rent", "amount": "5.00", "share_by": "equal"})
    said = office.run("bill", "add", office.write("good.yaml", a_bill()),
                      office.write("early.yaml", early), "--site", "s", fails=True)
    line = 1 + (office.folder / "early.yaml").read_text().splitlines().index(
        "  share_by: equal")
    assert f"early.yaml:{line}: lines[1].share_by: rent: nobody has weight by equal in" in said
    assert "pesco" not in office.run("bill", "list", "--site", "s")
    said = office.run("bill", "add", "good.yaml", "--site", "nowhere", fails=True)
    assert said.startswith("seatwatt: site: 'nowhere' is not declared")
    (office.folder / "marked.yaml").write_text(yaml.safe_dump(a_bill()), encoding="utf-8-sig")
    assert "marked.yaml:1: bill: it starts with a byte-order mark of UTF-8" in office.run(
        "bill", "add", "marked.yaml", "--site", "s", fails=True)


def test_a_value_another_program_changed_is_drafted_with_compare_and_never_approved_without(
        office: Office) -> None:
    period = ("--site", "s", "--from", "2026-09-01", "--to", "2026-09-03")
    office.run("bill", "add", office.write("bill.yaml", a_bill()), "--site", "s")
    assert "PKR 25.00" in office.run("run", "draft", *period)
    with closing(sqlite3.connect(office.folder / "readings.db")) as beside:  # leaves no mark
        beside.execute("UPDATE readings SET value = value + 500 WHERE taken_at_ms >= ? AND "
                       "series_id = (SELECT id FROM series WHERE device = '001')", (at(2).at_ms,))
        beside.commit()
    assert "PKR 25.00" in office.run("run", "draft", *period)  # compared a moment ago
    assert ("since it was drafted readings changed in the store: 1 register with other energy, "
            "first seat/hall/001; expected the period drafted anew") in office.run(
        "run", "approve", "1", fails=True)
    # The seats' excess of 500 Wh over the supply is taken back from both seats of that hour.
    assert "PKR 25.87" in office.run("run", "draft", "--compare", *period)
    office.run("run", "approve", "1")


def test_a_run_shows_its_alarms(office: Office) -> None:
    office.run("bill", "add", office.write("bill.yaml", a_bill(units={"kwh": 99})), "--site", "s")
    shown = office.run("run", "draft", "--site", "s", "--from", "2026-09-01", "--to", "2026-09-03")
    assert ("B03 supply 2026-09-01T00:00:00+05:00: bill pesco-2026-09-01: kwh: 99.000 kWh billed, "
            "19.200 kWh metered") in shown


def test_statements_as_files(office: Office) -> None:
    office.run("run", "draft", "--site", "s", "--from", "2026-09-01", "--to", "2026-09-03")
    office.run("statement", "show", "1", "alpha", "--pdf", "a.pdf", "--green-button", "a.xml")
    assert (office.folder / "a.pdf").read_bytes().startswith(b"%PDF-")
    assert b"IntervalReading" in (office.folder / "a.xml").read_bytes()
    office.run("statement", "pack", "1", "--to", "pack/september")
    assert sorted(path.name for path in (office.folder / "pack/september").iterdir()) == [
        "s-2026-09-01-2026-09-03.csv", "s-2026-09-01-2026-09-03.zip"]
    assert "1.csv" not in office.run("statement", "show", "1", "beta", "--csv")


def test_a_reading_by_hand_and_a_draft_anew(office: Office) -> None:
    said = office.run("run", "reading", "seat/hall/001", "2026-09-01T12:30:00+05:00", "4350",
                      "--site", "s", "--reason", "read on the display")
    assert "draft the period anew" in said
    office.run("run", "draft", "--site", "s", "--from", "2026-09-01", "--to", "2026-09-03")
    shown = json.loads(office.run("run", "show", "1", "--json"))
    assert shown["hand_readings"][0]["register_wh"] == "4350"


@pytest.mark.parametrize(("arguments", "said"), [
    (["run", "draft", "--site", "s"], "--month: the period is unclear"),
    (["run", "draft", "--site", "s", "--month", "2026-13"], "'2026-13-01' is not a date"),
    (["run", "draft", "--site", "t", "--month", "2026-09"], "'t' is not declared; expected s"),
    (["run", "approve", "7"], "there is no run 7"),
    (["run", "reading", "seat/hall/009", "2026-09-01T00:00:00+05:00", "1", "--site", "s",
      "--reason", "r"], "site s has no seat/hall/009"),
    (["run", "reading", "seat/hall/001", "yesterday", "1", "--site", "s", "--reason", "r"],
     "at: 'yesterday' is not a time"),
    (["run", "reading", "seat/hall/001", "2026-09-01T00:00:00+05:00", "much", "--site", "s",
      "--reason", "r"], "register_wh: 'much' is not a number"),
    (["run", "reading", "seat/hall/001", "2026-09-01T00:00:00+05:00", "-5", "--site", "s",
      "--reason", "r"], "register_wh: -5 is out of bounds"),
    (["run", "reading", "seat/hall/001", "2026-09-01T00:00:00+05:00", "5", "--site", "s",
      "--reason", " "], "reason: it is empty"),
    (["statement", "list"], "it is unclear which"),
    (["statement", "show", "7", "alpha"], "run 7 has none for 'alpha'"),
    (["statement", "pack", "7"], "it has no statements"),
    (["bill", "show", "none", "--site", "s"], "site s has no such bill"),
    (["bill", "withdraw", "none", "--site", "s"], "site s has no such bill"),
    (["bill", "add", "none.yaml", "--site", "s"], "none.yaml: cannot be read"),
])
def test_wrong_wishes_are_one_line(office: Office, arguments: list[str], said: str) -> None:
    if "-5" in arguments:
        arguments = [*arguments[:2], "--site", "s", "--reason", "r", "--", *arguments[2:5]]
    assert said in office.run(*arguments, fails=True)


def test_a_wrong_bill_names_its_file_and_line(office: Office) -> None:
    name = office.write("bill.yaml", a_bill(payable="200.00"))
    assert "bill.yaml:12: payable: the lines add up to 100.00, but 200.00" in office.run(
        "bill", "add", name, "--site", "s", fails=True)
    assert "pesco" not in office.run("bill", "list", "--site", "s")


@pytest.mark.parametrize("what", ["run", "bill"])
def test_nothing_is_listed_of_a_site_that_is_not_declared(office: Office, what: str) -> None:
    assert "'nosuch' is not declared; expected s" in office.run(what, "list", "--site", "nosuch",
                                                                fails=True)
