"""The bill file: a mapping as YAML or JSON gives it -> Bill, and back.

Whatever is wrong is an InputError of one line: where (`lines[2].amount`), what it is, what was
expected.
"""

from collections.abc import Callable
from datetime import date, datetime
from functools import partial

from seatwatt.billing.bill import Bill, BillLine, Period
from seatwatt.billing.money_currency import decimals_of, format_amount, parse_amount
from seatwatt.contract._calendar import as_date_or_instant, as_names
from seatwatt.contract._fields import (
    Fields,
    as_flag,
    as_number,
    as_text,
    as_weights,
    built,
    shown,
)
from seatwatt.contract.errors import InputError

_BILL = ("bill", "supplier", "source", "period", "currency", "units", "lines", "payable")
_LINE = ("id", "amount", "share_by", "band", "source", "of_period", "lines", "weights",
         "pass_through")
_UNITS_MAX = 1_000_000_000_000


def parse_bill(document: object) -> Bill:
    """The bill that `document` declares. Raises InputError."""
    fields = Fields("", document, _BILL)
    currency = fields.need("currency", as_text)
    decimals_of(currency)
    return Bill(
        id=fields.need("bill", as_text), supplier=fields.need("supplier", as_text),
        source=fields.maybe("source", as_text), period=fields.need("period", as_period),
        currency=currency, units=_units(fields),
        lines=tuple(_line(*item, currency) for item in fields.each("lines")),
        payable_minor=fields.maybe("payable", as_amount(currency)))


def bill_document(bill: Bill) -> dict[str, object]:
    """The bill file's mapping of `bill`: `parse_bill(bill_document(bill)) == bill`."""
    payable = bill.payable_minor
    return _filled({
        "bill": bill.id, "supplier": bill.supplier, "source": bill.source,
        "period": period_document(bill.period), "currency": bill.currency,
        "units": {name: printed / 1000 for name, printed in bill.units},
        "lines": [_line_document(line, bill.currency) for line in bill.lines],
        "payable": None if payable is None else format_amount(payable, bill.currency)})


def as_period(where: str, value: object) -> Period:
    """`{from: 2026-09-01, to: 2026-10-01}`, local dates."""
    fields = Fields(where, value, ("from", "to"))
    return built_at(where, partial(Period, from_=fields.need("from", as_date),
                                   to=fields.need("to", as_date)))


def period_document(period: Period) -> dict[str, object]:
    """The inverse of `as_period`."""
    return {"from": period.from_.isoformat(), "to": period.to.isoformat()}


def as_date(where: str, value: object) -> date:
    """A local date."""
    day = as_date_or_instant(where, value)
    if isinstance(day, datetime):
        raise InputError(where, f"{value!r} is not a date", "such as 2026-10-01")
    return day


def as_amount(currency: str) -> Callable[[str, object], int]:
    """A reader of amounts in this currency."""
    return lambda where, value: parse_amount(where, value, currency)


def built_at(where: str, build: Callable[[], Period]) -> Period:
    """`build()`; its InputError is told of the place `where` itself."""
    try:
        return build()
    except InputError as error:
        raise InputError(where, error.problem, error.expected) from None


def _line(where: str, document: object, currency: str) -> BillLine:
    fields = Fields(where, document, _LINE)
    return built(where, partial(
        BillLine, id=fields.need("id", as_text),
        amount_minor=fields.need("amount", as_amount(currency)),
        share_by=fields.need("share_by", as_text), band=fields.maybe("band", as_text),
        source=fields.maybe("source", as_text), of_period=fields.maybe("of_period", as_period),
        lines=tuple(fields.get("lines", as_names, [])),
        weights=fields.get("weights", as_weights, ()),
        pass_through=fields.get("pass_through", as_flag, True)))


def _line_document(line: BillLine, currency: str) -> dict[str, object]:
    document = _filled({
        "id": line.id, "amount": format_amount(line.amount_minor, currency),
        "share_by": line.share_by, "band": line.band, "source": line.source,
        "of_period": line.of_period and period_document(line.of_period),
        "lines": list(line.lines), "weights": dict(line.weights)})
    return document if line.pass_through else {**document, "pass_through": False}


def _units(fields: Fields) -> tuple[tuple[str, int], ...]:
    return tuple((name, _thousandths(path, value))
                 for path, name, value in fields.entries("units"))


def _thousandths(where: str, value: object) -> int:
    number = as_number(where, value)
    if abs(number) > _UNITS_MAX:
        raise InputError(where, f"{shown(value)} is too large", f"at most {_UNITS_MAX:,} kWh or kW")
    return round(number * 1000)


def _filled(document: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in document.items() if value not in (None, [], {})}
