"""Reading bill, tariff and occupancy files: YAML text -> nouns; errors name the file and line."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from seatwatt.billing.bill import Bill
from seatwatt.billing.bill_file import parse_bill
from seatwatt.billing.bill_tariff import Tariff
from seatwatt.billing.bill_tariff_file import parse_occupancy, parse_tariff
from seatwatt.billing.money_occupancy import OccupancyPlan
from seatwatt.contract.errors import InputError
from seatwatt.store.sitefiles import in_file, read_yaml

T = TypeVar("T")


def load_bill(path: Path) -> Bill:
    """A supplier's bill. Raises InputError with file, line, field and what was expected."""
    return _load(path, parse_bill)


def load_tariff(path: Path) -> Tariff:
    """A supplier's dated prices. Raises InputError likewise."""
    return _load(path, parse_tariff)


def load_occupancy(path: Path) -> OccupancyPlan:
    """Rates per seat and month, with waivers. Raises InputError likewise."""
    return _load(path, parse_occupancy)


def _load(path: Path, parse: Callable[[object], T]) -> T:
    document, places = read_yaml(path)
    try:
        return parse(document)
    except InputError as error:
        raise in_file(path, places, error) from None
