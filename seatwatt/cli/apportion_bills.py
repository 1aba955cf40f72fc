"""The bills that `seatwatt apportion` is given, charged and shown."""

from decimal import Decimal
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from seatwatt.billing.bill import Bill
from seatwatt.contract.errors import InputError
from seatwatt.settlement.charging import (
    Charged,
    charge_bills,
    charge_occupancy,
    provisional,
)
from seatwatt.settlement.settle import Settlement
from seatwatt.store.billfiles import load_bill, load_occupancy, load_tariff
from seatwatt.store.recording import Recording


def charged_of(settlement: Settlement, recording: Recording, bills: list[Path],
               tariffs: list[Path], occupancy: Path | None) -> Charged | None:
    """What the files charge; None without any. A tariff stands in for a bill of its supplier, so
    it is left out where that bill is given."""
    if not bills and not tariffs and occupancy is None:
        return None
    given = [load_bill(path) for path in bills]
    given += _provisional(settlement, tariffs, {bill.supplier for bill in given})
    charged = charge_bills(settlement, recording, given)
    if occupancy is None:
        return charged
    return charge_occupancy(settlement, load_occupancy(occupancy), charged)


def _provisional(settlement: Settlement, tariffs: list[Path], billed: set[str]) -> list[Bill]:
    made = []
    for path in tariffs:
        tariff = load_tariff(path)
        if tariff.supplier not in billed:
            try:
                made.append(provisional(settlement, tariff))
            except InputError as error:
                raise error.within(str(path)) from None
    return made


def show_charges(console: Console, found: dict[str, Any], charged: Charged) -> None:
    """A table a currency: lines down, parties across, each line's sum at its end."""
    for charges in charged.bills:
        if charges.bill.provisional:
            console.print(f"{charges.bill.supplier}: PROVISIONAL, by tariff, until the bill comes")
    currencies = dict.fromkeys(currency for row in found["parties"].values()
                               for currency in row["charges"])
    for currency in currencies:
        console.print(_table(found, currency))
    for check in charged.units:
        console.print(f"{check}{'  ALARM' if check.alarm else ''}", highlight=False)


def _table(found: dict[str, Any], currency: str) -> Table:
    parties = [party for party, row in found["parties"].items() if currency in row["charges"]]
    table = Table(title=currency, title_justify="left", box=box.SIMPLE, show_footer=True)
    totals = [Decimal(found["parties"][party]["total"][currency]) for party in parties]
    table.add_column("line", "total")
    for party, total in zip(parties, totals, strict=True):
        table.add_column(party, f"{total:,}", justify="right", no_wrap=True)
    table.add_column("sum", f"{sum(totals):,}", justify="right", no_wrap=True)
    lines = dict.fromkeys(line for party in parties
                          for line in found["parties"][party]["charges"][currency])
    for line in lines:
        amounts = [Decimal(found["parties"][party]["charges"][currency].get(line, "0"))
                   for party in parties]
        table.add_row(line, *(f"{amount:,}" for amount in amounts), f"{sum(amounts):,}")
    return table
