"""The worked bill: every line to the paisa, every party as computed by hand."""

import csv
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

from seatwatt.billing.bill import Period
from seatwatt.billing.bill_units import check_units
from seatwatt.billing.money import Charges, charge
from seatwatt.billing.result import Apportionment
from seatwatt.store.billfiles import load_bill
from tests.unit.billing.money_kit import apportionment

FOLDER = Path(__file__).parent / "given_the_worked_bill_of_a_350_seat_site"
SEPTEMBER = Period(from_=date(2026, 9, 1), to=date(2026, 10, 1))
ROUNDED_LINES = 10


def rows(path: str) -> list[dict[str, str]]:
    with (FOLDER / path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def september() -> Apportionment:
    energy = rows("when/energy.csv")
    milliwh = [[int(Decimal(row[f"{band}_kwh"]) * 1_000_000) for row in energy]
               for band in ("peak", "offpeak")]
    parties = tuple(row["party"] for row in energy)
    return apportionment({"grid": milliwh}, SEPTEMBER, parties)


def charged() -> Charges:
    return charge(load_bill(FOLDER / "when/bill.yaml"), {SEPTEMBER: september()})


def test_each_lines_shares_add_up_to_the_line_and_all_to_the_payable() -> None:
    charges = charged()
    amounts = {line.id: line.amount_minor for line in charges.bill.lines} | {"rounding": 16}
    assert {line.id: sum(line.shares_minor) for line in charges.lines} == amounts
    assert sum(charges.totals_minor()) == 392447300


def test_every_party_pays_what_was_computed_by_hand() -> None:
    charges = charged()
    for row in rows("then/charges.csv"):
        lines = charges.of(row["party"])
        subtotal = sum(lines.values()) - lines["income-tax"] - lines["rounding"]
        assert abs(subtotal - Decimal(row["subtotal"]) * 100) <= Decimal(ROUNDED_LINES) / 2


def test_the_retained_tax_stays_with_the_operator() -> None:
    charges = charged()
    assert charges.of("operator")["income-tax"] == 42007745
    assert all(charges.of(tenant)["income-tax"] == 0 for tenant in ("t1", "t2", "t3", "t4"))


def test_the_billed_units_are_those_of_the_meters() -> None:
    checks = check_units(charged().bill, september())
    assert [check.printed - check.metered for check in checks] == [0, 0, 0]


def test_a_price_for_peak_and_offpeak_alone_recovers_two_thirds() -> None:
    bill = load_bill(FOLDER / "when/bill.yaml")
    two = replace(bill, lines=bill.lines[:2], payable_minor=None)
    recovered = sum(charge(two, {SEPTEMBER: september()}).totals_minor())
    subtotal = sum(line.amount_minor for line in bill.lines[:-1])
    assert round(1000 * recovered / subtotal) == 678
