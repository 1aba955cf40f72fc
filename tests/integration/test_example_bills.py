"""The example sites' bills: every cell within two paisa, every sum exactly."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from seatwatt.contract.intervals import local_midnight_ms
from seatwatt.settlement.charges_document import with_charges
from seatwatt.settlement.charging import charge_bills
from seatwatt.settlement.document import document
from seatwatt.settlement.settle import settle
from seatwatt.store.billfiles import load_bill
from seatwatt.store.recording import load_recordings
from seatwatt.store.sitefiles import load_site
from tests.shared import shared

TWO_PAISA = Decimal("0.02")


@pytest.mark.parametrize("name", ["one", "two", "three", "five", "six"])
def test_the_example_is_charged_as_expected(name: str) -> None:
    folder = shared(f"examples/{name}")
    expected = json.loads((folder / "expected.json").read_text())
    found = charged_document(folder, expected)
    assert found["parties"].keys() == expected["parties"].keys()
    for party, row in expected["parties"].items():
        charges = found["parties"][party]["charges"]["PKR"]
        assert charges.keys() == row["charges"]["PKR"].keys()
        off = {line: (amount, charges[line]) for line, amount in row["charges"]["PKR"].items()
               if abs(Decimal(amount) - Decimal(charges[line])) > TWO_PAISA}
        assert off == {}, party
        assert sum(map(Decimal, charges.values())) == Decimal(
            found["parties"][party]["total"]["PKR"])
    _sums_are_exact(found, load_bill(folder / "bill.yaml"))


def _sums_are_exact(found: dict, bill) -> None:  # type: ignore[type-arg, no-untyped-def]
    rows = [row["charges"]["PKR"] for row in found["parties"].values()]
    for line in bill.lines:
        assert sum(Decimal(row[line.id]) for row in rows) * 100 == line.amount_minor
    totals = [Decimal(row["total"]["PKR"]) for row in found["parties"].values()]
    assert sum(totals) * 100 == bill.payable_minor


def charged_document(folder: Path, expected: dict) -> dict:  # type: ignore[type-arg]
    site = load_site(folder / "site.yaml")
    recording = load_recordings([folder / "readings.ndjson.gz"], site.id)
    start_ms, end_ms = (local_midnight_ms(date.fromisoformat(expected[name]), site.time_zone)
                        for name in ("from", "to"))
    settlement = settle(site, recording, start_ms, end_ms)
    charged = charge_bills(settlement, recording, [load_bill(folder / "bill.yaml")])
    return with_charges(document(settlement), settlement, charged)
