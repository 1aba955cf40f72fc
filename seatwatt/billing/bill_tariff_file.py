"""Tariff and occupancy files: mappings as YAML or JSON gives them -> Tariff, OccupancyPlan."""

import re
from decimal import Decimal
from functools import partial

from seatwatt.billing.bill_file import as_amount, as_date, as_period
from seatwatt.billing.bill_tariff import Tariff, TariffLine
from seatwatt.billing.money_currency import decimals_of
from seatwatt.billing.money_occupancy import OccupancyPlan, SeatRate, Waiver
from seatwatt.contract._calendar import as_names
from seatwatt.contract._fields import Fields, as_flag, as_text, built, shown
from seatwatt.contract.errors import InputError

_TARIFF = ("tariff", "supplier", "document", "source", "currency", "from", "to", "lines")
_LINE = ("id", "price", "per", "band", "at_least_kw", "of", "share_by", "pass_through")
_PRICE = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,12})?")
_OCCUPANCY = ("occupancy", "currency", "rates", "waivers")


def parse_tariff(document: object) -> Tariff:
    """The tariff that `document` declares. Raises InputError."""
    fields = Fields("", document, _TARIFF)
    return Tariff(
        id=fields.need("tariff", as_text), supplier=fields.need("supplier", as_text),
        document=fields.need("document", as_text), source=fields.maybe("source", as_text),
        currency=fields.need("currency", as_text), from_=fields.need("from", as_date),
        to=fields.maybe("to", as_date),
        lines=tuple(_tariff_line(*item) for item in fields.each("lines")))


def parse_occupancy(document: object) -> OccupancyPlan:
    """The occupancy charges that `document` declares. Raises InputError; a waiver without both
    of its dates is refused."""
    fields = Fields("", document, _OCCUPANCY)
    currency = fields.need("currency", as_text)
    decimals_of(currency)
    return OccupancyPlan(
        id=fields.need("occupancy", as_text), currency=currency,
        rates=tuple(_rate(*item, currency) for item in fields.each("rates")),
        waivers=tuple(_waiver(*item) for item in fields.each("waivers")))


def as_decimal(where: str, value: object) -> Decimal:
    """A price as a text: `"0.5194"`. A number is refused: it may not be what was written."""
    if not isinstance(value, str) or not _PRICE.fullmatch(value):
        raise InputError(where, f"{shown(value)} is not a price",
                         'a text such as "43.82", of at most 12 digits on either side')
    return Decimal(value)


def _tariff_line(where: str, document: object) -> TariffLine:
    fields = Fields(where, document, _LINE)
    return built(where, partial(
        TariffLine, id=fields.need("id", as_text), price=fields.need("price", as_decimal),
        per=fields.need("per", as_text), band=fields.maybe("band", as_text),
        at_least_kw=fields.get("at_least_kw", as_decimal, Decimal(0)),
        of=tuple(fields.get("of", as_names, [])), share_by=fields.get("share_by", as_text, ""),
        pass_through=fields.get("pass_through", as_flag, True)))


def _rate(where: str, document: object, currency: str) -> SeatRate:
    fields = Fields(where, document, ("amount", "from", "to"))
    return built(where, partial(
        SeatRate, amount_minor=fields.need("amount", as_amount(currency)),
        from_=fields.need("from", as_date), to=fields.maybe("to", as_date)))


def _waiver(where: str, document: object) -> Waiver:
    fields = Fields(where, document, ("tenant", "from", "to", "reason"))
    dates = {"from": fields.need("from", as_date), "to": fields.need("to", as_date)}
    return built(where, partial(
        Waiver, tenant=fields.need("tenant", as_text), period=as_period(where, dates),
        reason=fields.get("reason", as_text, "")))
