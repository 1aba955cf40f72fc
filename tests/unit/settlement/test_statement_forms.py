"""The forms of a statement: JSON, CSV, PDF, Green Button."""

import csv
import io
import json
import re
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import numpy as np
import pytest
import typst
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from seatwatt.ledger.open import open_engine
from seatwatt.ledger.runs import list_statements
from seatwatt.settings import LedgerSettings
from seatwatt.settlement.green_button import green_button
from seatwatt.settlement.runs import draft, frozen
from seatwatt.settlement.statement_csv import pack, statements_csv
from seatwatt.settlement.statement_pdf import TEMPLATE, statement_pdf
from tests.services.run_kit import SEATS, SEPTEMBER, Registers, a_bill, at, declare
from tests.unit.settlement.espi import ATOM, ESPI, faults


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Two days with a bill, an occupancy charge and a hole in alpha's register."""
    folder: Path = tmp_path_factory.mktemp("ledger")
    engine = open_engine(LedgerSettings(ledger_url=f"sqlite:///{folder}/ledger.db"))
    plan = {"occupancy": "usd", "currency": "USD", "rates": [
        {"amount": "60.00", "from": "2026-01-01"}]}
    lines = [{"id": "energy", "amount": "1000.01", "share_by": "energy"},
             {"id": "tax", "amount": "7.00", "share_by": "energy", "pass_through": False}]
    declare(engine, a_bill(lines=lines, payable="1007.00"), plan)
    reader = Registers()
    reader.lose(SEATS[0], at(2).at_ms, at(2).at_ms + 8 * 3_600_000)
    run = draft(engine, reader, "s", SEPTEMBER, at(3))
    found = {each.party: json.loads(each.document) for each in list_statements(engine, run.id)}
    engine.dispose()
    return found


def test_lines_add_up_to_totals_and_parties_to_the_bill(documents: dict[str, Any]) -> None:
    for party, document in documents.items():
        rows = document["charges"] + document["occupancy"]
        for currency, total in document["totals"].items():
            assert sum(Decimal(row["share"]) for row in rows if row["currency"] == currency
                       ) == Decimal(total)
        proof, = document["proof"]
        assert (Decimal(proof["this_party"]) + Decimal(proof["other_tenants"])
                + Decimal(proof["operator"])) == Decimal(proof["payable"]) == Decimal("1007.00")
        assert party == document["party"]["id"]


def test_days_and_intervals_add_up_to_the_energy(documents: dict[str, Any]) -> None:
    alpha = documents["alpha"]
    energy = Decimal(str(alpha["energy"]["energy_wh"]))
    assert energy == 4800
    assert sum(Decimal(str(day["energy_wh"])) for day in alpha["days"]) == energy
    assert sum(map(Decimal, map(str, alpha["intervals"]["energy_wh"]))) == energy
    assert [day["date"] for day in alpha["days"]] == ["2026-09-01", "2026-09-02"]
    assert alpha["seats"][0]["opening"]["register_wh"] == 4800.0
    assert len(alpha["intervals"]["estimated"]) == 18


def test_no_statement_names_another_tenant(documents: dict[str, Any]) -> None:
    text = json.dumps(documents["alpha"])
    assert "beta" not in text.lower()
    assert "hall/002" not in text


def test_the_csv_holds_every_line_and_adds_up(documents: dict[str, Any]) -> None:
    rows = list(csv.DictReader(io.StringIO(statements_csv(list(documents.values())))))
    charges = [row for row in rows if row["kind"] == "charge"]
    assert sum(Decimal(row["amount"]) for row in charges) == Decimal("1007.00")
    totals = {(row["party"], row["currency"]): row["amount"] for row in rows
              if row["kind"] == "total"}
    assert totals["alpha", "USD"] == "4.00"
    assert [row["energy_wh"] for row in rows if row["kind"] == "energy"] == [
        "4800.0", "14400.0", "0.0"]


@pytest.mark.parametrize("name", ['=HYPERLINK("http://x","y")', "+1", "-1+1", "@cmd"])
def test_a_name_is_no_formula_in_a_spreadsheet(documents: dict[str, Any], name: str) -> None:
    charge = {**documents["alpha"]["charges"][0], "supplier": name, "share": "-1.00"}
    document = {**documents["alpha"], "party": {"id": "alpha", "name": name}, "charges": [charge]}
    first = next(csv.DictReader(io.StringIO(statements_csv([document]))))
    assert (first["party_name"], first["supplier"], first["amount"]) == (f"'{name}", f"'{name}",
                                                                         "-1.00")


@pytest.mark.parametrize("name", ['Söhne, "Al" & Co; شركة 株', "it's - fine"])
def test_any_other_name_stands_as_it_is(documents: dict[str, Any], name: str) -> None:
    document = {**documents["alpha"], "party": {"id": "alpha", "name": name}}
    rows = list(csv.DictReader(io.StringIO(statements_csv([document]))))
    assert {row["party_name"] for row in rows} == {name}


def text_of(content: Any) -> str:
    """What stands in a piece of a page."""
    if isinstance(content, list):
        return "".join(map(text_of, content))
    if content.get("func") == "space":
        return " "
    return str(content["text"]) if "text" in content else "".join(
        text_of(content[part]) for part in ("body", "child", "children") if part in content)


def amounts_shown(document: dict[str, Any]) -> list[tuple[str, str]]:
    """First words and amount of each row of the charges on the page."""
    tables = json.loads(typst.query(TEMPLATE, "table", sys_inputs={
        "statement": json.dumps(document)}))
    cells = [text_of(cell) for cell in tables[0]["children"] if cell["func"] != "hline"]
    return [(cells[at] + cells[at + 1], cells[at + 5]) for at in range(6, len(cells), 6)]


@pytest.mark.parametrize("count", [3, 70])
def test_what_the_page_shows_adds_up_to_its_totals(documents: dict[str, Any], count: int) -> None:
    alpha = documents["alpha"]
    charges = [{**alpha["charges"][0], "line": f"l{at}", "currency": ("PKR", "KWD")[at % 2],
                "share": f"{at - 20}.{at:03}"} for at in range(count)]
    adjustment = {"of_run": 1, "line": "b/energy", "from": "2026-08-01", "to": "2026-09-01",
                  "currency": "PKR", "share": "-1.003"}
    adjustments = [adjustment] * (count // 3)
    totals = {currency: sum((Decimal(row["share"]) for row in charges + adjustments
                             if row["currency"] == currency), Decimal(0))
              for currency in ("PKR", "KWD")}
    rows = amounts_shown({**alpha, "charges": charges, "adjustments": adjustments, "occupancy": [],
                          "totals": {name: str(total) for name, total in totals.items()}})
    told = dict.fromkeys(totals, Decimal(0))
    for row, amount in rows[:-2]:
        assert row != "Total"
        currency, digits = amount.split(" ")
        told[currency] += Decimal(digits.replace("−", "-").replace(",", ""))
    assert told == totals
    assert [row for row, _ in rows[-2:]] == ["Total", "Total"]
    assert (sum(" more line" in row for row, _ in rows) > 0) == (count > 50)


def test_a_name_without_a_space_stays_on_the_page(documents: dict[str, Any]) -> None:
    document = {**documents["alpha"], "party": {"id": "alpha", "name": "W" * 180},
                "site": {**documents["alpha"]["site"], "name": "W" * 180}}
    png = typst.compile(TEMPLATE, format="png", ppi=72, sys_inputs={
        "statement": json.dumps(document)})
    assert isinstance(png, bytes)
    page = np.asarray(Image.open(io.BytesIO(png)).convert("L"))
    margin = round(page.shape[1] * 12 / 210)
    assert page[:, :margin].min() == page[:, -margin:].min() == 255
    assert page.min() < 100


def pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page[^s]", pdf))


def test_the_pdf_is_one_page_and_the_same_each_time(documents: dict[str, Any]) -> None:
    pdf = statement_pdf(documents["alpha"])
    assert pdf.startswith(b"%PDF-")
    assert pages(pdf) == 1
    assert pdf == statement_pdf(documents["alpha"])
    assert pages(statement_pdf(documents["operator"])) == 1
    issued = statement_pdf(frozen(documents["alpha"], "s", 7, at(3).at_ms))
    assert issued != pdf


def test_a_long_statement_is_still_one_page(documents: dict[str, Any]) -> None:
    alpha = documents["alpha"]
    adjustment = {"of_run": 1, "line": "b/energy", "from": "2026-08-01", "to": "2026-09-01",
                  "currency": "PKR", "share": "-1.00"}
    long = {**alpha, "seats": alpha["seats"] * 200, "charges": alpha["charges"] * 30,
            "nodes": alpha["unaccounted"] * 40, "days": (alpha["days"] * 16)[:31],
            "adjustments": [adjustment] * 50, "occupancy": alpha["occupancy"] * 5,
            "proof": alpha["proof"] * 4}
    assert pages(statement_pdf(long)) == 1


@pytest.mark.parametrize("script", ["Långa namn och ", "شركة الاتصالات ", "株式会社", "हिन्दी ",
                                    "💡"])
def test_names_bands_and_days_without_end_are_still_one_page(documents: dict[str, Any],
                                                             script: str) -> None:
    alpha = documents["alpha"]
    bands = {f"band-{number}": 1234567.891 for number in range(8)}
    charge = {**alpha["charges"][0], "supplier": script * 40}
    long = {**alpha, "party": {"id": "alpha", "name": script * 60},
            "site": {**alpha["site"], "name": script * 60},
            "seats": alpha["seats"] * 60, "days": alpha["days"] * 46,
            "energy": {**alpha["energy"],
                       "by": dict.fromkeys(("grid", "generator", "solar"), bands)},
            "charges": [{**charge, "bill": str(number)} for number in range(20)],
            "proof": [{**alpha["proof"][0], "supplier": script * 40}] * 4}
    assert pages(statement_pdf(long)) == 1


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]),
                    min_size=1, max_size=30))
def test_any_name_can_stand_on_a_statement(documents: dict[str, Any], name: str) -> None:
    alpha = documents["alpha"]
    document = {**alpha, "party": {"id": "alpha", "name": name}}
    assert pages(statement_pdf(document)) == 1
    title = Xml.fromstring(green_button(document)).findtext(f"{ATOM}title")
    assert title == f"{name}, draft"


def test_the_pack_is_one_page_a_party(documents: dict[str, Any]) -> None:
    made: list[int] = []
    found = pack(list(documents.values()), made.append)
    with zipfile.ZipFile(io.BytesIO(found)) as archive:
        assert archive.namelist() == ["draft-alpha.pdf", "draft-beta.pdf", "draft-operator.pdf"]
        assert archive.read("draft-alpha.pdf") == statement_pdf(documents["alpha"])
    assert made == [1, 2, 3]
    assert found == pack(list(documents.values()))


def test_green_button_carries_every_interval_with_its_quality(documents: dict[str, Any]) -> None:
    for document in documents.values():
        feed = Xml.fromstring(green_button(document))
        assert faults(feed) == []
        readings = list(feed.iter(f"{ESPI}IntervalReading"))
        values = [int(reading.findtext(f"{ESPI}value") or "") for reading in readings]
        assert values == [round(wh * 1000) for wh in document["intervals"]["energy_wh"]]
        estimated = [at for at, reading in enumerate(readings)
                     if reading.findtext(f"{ESPI}ReadingQuality/{ESPI}quality") != "17"]
        assert estimated == document["intervals"]["estimated"]
        starts = [int(reading.findtext(f"{ESPI}timePeriod/{ESPI}start") or "")
                  for reading in readings]
        assert starts == list(range(at(1).at_ms // 1000, at(3).at_ms // 1000, 1800))
        assert green_button(document) == green_button(document)
