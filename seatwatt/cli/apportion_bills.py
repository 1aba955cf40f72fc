"""The bills that `seatwatt apportion` is given, charged and shown."""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from rich import box
from rich.console import Console
from rich.table import Table

from seatwatt.billing.bill import Bill
from seatwatt.billing.bill_tariff import Tariff
from seatwatt.billing.money_occupancy import OccupancyPlan
from seatwatt.contract.errors import InputError
from seatwatt.contract.site import Site
from seatwatt.settlement.charging import (
    Charged,
    charge_bills,
    charge_occupancy,
    provisional,
)
from seatwatt.settlement.papers import check_paper
from seatwatt.settlement.settle import Settlement
from seatwatt.store.billfiles import load_bill, load_occupancy, load_tariff
from seatwatt.store.recording import Recording
from seatwatt.store.sitefiles import in_file, read_yaml

T = TypeVar("T", Bill, Tariff, OccupancyPlan)


@dataclass(frozen=True, slots=True, kw_only=True)
class Papers:
    """Bills and tariffs with the files they were read from, and the occupancy plan."""

    bills: list[tuple[Path, Bill]]
    tariffs: list[tuple[Path, Tariff]]
    plan: OccupancyPlan | None


def load_papers(site: Site, bills: list[Path], tariffs: list[Path], occupancy: Path | None
                ) -> Papers | None:
    """The files, checked against the site; None without any. InputError with file and line."""
    if not bills and not tariffs and occupancy is None:
        return None
    return Papers(bills=[(path, _checked(path, load_bill(path), site)) for path in bills],
                  tariffs=[(path, _checked(path, load_tariff(path), site)) for path in tariffs],
                  plan=_checked(occupancy, load_occupancy(occupancy), site) if occupancy else None)


def _checked(path: Path, paper: T, site: Site) -> T:
    try:
        check_paper(paper, site)
    except InputError as error:
        raise in_file(path, read_yaml(path)[1], error) from None
    return paper


def charged_of(settlement: Settlement, recording: Recording, papers: Papers) -> Charged:
    """What the files charge. A tariff stands in for a bill of its supplier, so it is left out where
    that bill is given. What only the readings tell to be wrong is told with file and line too."""
    bills = [bill for _, bill in papers.bills]
    billed = {bill.supplier for bill in bills}
    made = [_provisional(settlement, path, tariff) for path, tariff in papers.tariffs
            if tariff.supplier not in billed]
    try:
        charged = charge_bills(settlement, recording, [*bills, *made])
    except InputError as error:
        raise _in_its_file(error, papers.bills) from None
    return charged if papers.plan is None else charge_occupancy(settlement, papers.plan, charged)


def _provisional(settlement: Settlement, path: Path, tariff: Tariff) -> Bill:
    try:
        return provisional(settlement, tariff)
    except InputError as error:
        raise error.within(str(path)) from None


def _in_its_file(error: InputError, bills: list[tuple[Path, Bill]]) -> InputError:
    """`bill pesco: lines[2].share_by` as file, line and field; of two of one name, the later."""
    owner, _, field = error.where.partition(": ")
    for path, bill in reversed(bills):
        if owner == f"bill {bill.id}":
            return in_file(path, read_yaml(path)[1],
                           InputError(field or "bill", error.problem, error.expected))
    return error


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
