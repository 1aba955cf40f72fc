"""Charges as people exchange them: currency -> line -> amount, a party at a time."""

from collections import Counter
from typing import Any

from seatwatt.billing.money_currency import format_amount
from seatwatt.contract.meters import OPERATOR
from seatwatt.settlement.charging import Charged
from seatwatt.settlement.document import finding_row
from seatwatt.settlement.settle import Settlement

Money = dict[str, dict[str, int]]
"""Currency -> line -> minor units."""

OCCUPANCY = "occupancy"
"""The line of a tenant's occupancy charge."""


def with_charges(document: dict[str, Any], settlement: Settlement, charged: Charged
                 ) -> dict[str, Any]:
    """The settlement's document with every party's `charges` and `total`, and the findings that
    came with them. A party that only an earlier period charges is added, without energy."""
    money = {party: of_party(charged, party) for party in _parties(charged)}
    rows: dict[str, Any] = dict(document["parties"])
    for party, by_currency in money.items():
        if party not in rows and any(any(lines.values()) for lines in by_currency.values()):
            rows[party] = _without_energy(rows[OPERATOR])
    order = sorted(rows, key=lambda party: (party == OPERATOR, party))
    findings = [*document["findings"],
                *(finding_row(finding, settlement.grid) for finding in charged.findings)]
    return {**document, "findings": findings,
            "parties": {party: {**rows[party], **texts(money.get(party, {}))} for party in order}}


def of_party(charged: Charged, party: str) -> Money:
    """What the party pays, by currency and line. Of lines of one name in several bills, each is
    named `bill/line`."""
    names = Counter(line.id for charges in charged.bills for line in charges.lines)
    money: Money = {}
    for charges in charged.bills:
        lines = money.setdefault(charges.bill.currency, {})
        for line, amount in charges.of(party).items():
            lines[line if names[line] == 1 else f"{charges.bill.id}/{line}"] = amount
    for each in charged.occupancy:
        if charged.plan is not None and each.tenant == party:
            lines = money.setdefault(charged.plan.currency, {})
            lines[OCCUPANCY] = lines.get(OCCUPANCY, 0) + each.amount_minor
    return {currency: lines for currency, lines in money.items() if lines}


def texts(money: Money) -> dict[str, dict[str, Any]]:
    """`charges` and `total` with amounts as texts."""
    return {
        "charges": {currency: {line: format_amount(minor, currency)
                               for line, minor in lines.items()}
                    for currency, lines in money.items()},
        "total": {currency: format_amount(sum(lines.values()), currency)
                  for currency, lines in money.items()}}


def _parties(charged: Charged) -> list[str]:
    found = {party for charges in charged.bills for party in charges.parties}
    return sorted(found | {each.tenant for each in charged.occupancy})


def _without_energy(row: dict[str, Any]) -> dict[str, Any]:
    """A row like `row` in shape, with no energy in it."""
    by = {source: dict.fromkeys(bands, 0.0) for source, bands in row["by"].items()}
    return {**{name: 0.0 for name in row if name.endswith("_wh")}, "by": by}
