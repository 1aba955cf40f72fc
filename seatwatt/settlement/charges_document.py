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


def with_charge_columns(rows: list[list[str | float]], charged: Charged
                        ) -> list[list[str | float]]:
    """The CSV's rows with a column a line and the total of each currency; the last row, the
    supply's, holds what each column adds up to."""
    money = {party: of_party(charged, party) for party in _parties(charged)}
    cells = list(dict.fromkeys((currency, line) for by_currency in money.values()
                               for currency, lines in by_currency.items() for line in lines))
    currencies = list(dict.fromkeys(currency for currency, _ in cells))
    parties = [str(row[0]) for row in rows[1:-1]]
    parties += [party for party in money if party not in parties and any(
        any(lines.values()) for lines in money[party].values())]
    energy = {str(row[0]): row for row in rows[1:-1]}
    nothing: list[str | float] = [0.0] * (len(rows[0]) - 1)

    def amounts(of: list[str]) -> list[str | float]:
        sums = {(currency, line): sum(money.get(party, {}).get(currency, {}).get(line, 0)
                                      for party in of) for currency, line in cells}
        totals = {name: sum(minor for (currency, _), minor in sums.items() if currency == name)
                  for name in currencies}
        return [*(format_amount(minor, currency) for (currency, _), minor in sums.items()),
                *(format_amount(minor, currency) for currency, minor in totals.items())]

    heading = [*rows[0], *(f"{currency}_{line}" for currency, line in cells),
               *(f"{currency}_total" for currency in currencies)]
    return [heading, *([*energy.get(party, [party, *nothing]), *amounts([party])]
                       for party in parties), [*rows[-1], *amounts(parties)]]


def _parties(charged: Charged) -> list[str]:
    found = {party for charges in charged.bills for party in charges.parties}
    return sorted(found | {each.tenant for each in charged.occupancy})


def _without_energy(row: dict[str, Any]) -> dict[str, Any]:
    """A row like `row` in shape, with no energy in it."""
    by = {source: dict.fromkeys(bands, 0.0) for source, bands in row["by"].items()}
    return {**{name: 0.0 for name in row if name.endswith("_wh")}, "by": by}
