"""The dated parts of the site file: tariff bands, leases, bookings."""

import re
from collections.abc import Iterable, Iterator
from functools import partial

from seatwatt.contract._calendar import (
    as_clock_time,
    as_date_or_instant,
    as_days,
    as_instant,
    as_months,
    as_names,
)
from seatwatt.contract._fields import Fields, as_text, built, shown
from seatwatt.contract.errors import InputError
from seatwatt.contract.intervals import to_ms
from seatwatt.contract.site import BandRule, Booking, Lease, Shift, Zone
from seatwatt.contract.sitechecks import no_such_seat, some_names

_EVERY_DAY = tuple(range(7))
_EVERY_MONTH = tuple(range(1, 13))
_RANGE = re.compile(r"([a-z0-9-]*?)(\d+)-\1(\d+)")

Seat = tuple[str, str]
"""Zone and seat."""


def parse_bands(fields: Fields) -> tuple[BandRule, ...]:
    """`bands`: name -> list of rules (or a single one)."""
    return tuple(_band_rule(place, name, rule)
                 for path, name, rules in fields.entries("bands")
                 for place, rule in _one_or_more(path, rules))


def _one_or_more(path: str, document: object) -> Iterator[tuple[str, object]]:
    if isinstance(document, list | tuple):
        return ((f"{path}[{index}]", item) for index, item in enumerate(document))
    return iter([(path, document)])


def _band_rule(path: str, band: str, document: object) -> BandRule:
    fields = Fields(path, document, ("months", "days", "from", "to"))
    return built(path, partial(
        BandRule, band=band, months=fields.get("months", as_months, _EVERY_MONTH),
        days=fields.get("days", as_days, _EVERY_DAY),
        start=fields.need("from", as_clock_time), end=fields.need("to", as_clock_time)))


def parse_leases(fields: Fields, zones: Iterable[Zone]) -> tuple[Lease, ...]:
    """`leases`: a list; one without a label is named by its place."""
    known = {zone.name: zone for zone in zones}
    return tuple(_lease(path, item, known) for path, item in fields.each("leases"))


def _lease(path: str, document: object, zones: dict[str, Zone]) -> Lease:
    fields = Fields(path, document, ("tenant", "seats", "zones", "from", "to", "shift", "label"))
    claims = fields.maybe("seats", partial(_claims, zones=zones)) or []
    whole = [zone for zone, seats in claims if seats is None]
    whole += fields.maybe("zones", as_names) or []
    return built(path, partial(
        Lease, tenant=fields.need("tenant", as_text),
        seats=tuple(dict.fromkeys(seat for _, seats in claims for seat in seats or ())),
        zones=tuple(dict.fromkeys(whole)),
        from_=fields.need("from", as_date_or_instant), to=fields.maybe("to", as_date_or_instant),
        shift=fields.maybe("shift", _shift), label=fields.get("label", as_text, path)))


def _shift(path: str, document: object) -> Shift:
    fields = Fields(path, document, ("days", "start", "end"))
    return built(path, partial(
        Shift, days=fields.get("days", as_days, _EVERY_DAY),
        start=fields.need("start", as_clock_time), end=fields.need("end", as_clock_time)))


def _claims(where: str, value: object, zones: dict[str, Zone]
            ) -> list[tuple[str, list[Seat] | None]]:
    """Zone and seats of each item, None for the zone as a whole."""
    return [_claim(where, text, zones) for text in as_names(where, value)]


def _claim(where: str, text: str, zones: dict[str, Zone]) -> tuple[str, list[Seat] | None]:
    name, slash, seats = text.partition("/")
    if name not in zones:
        raise InputError(where, f"zone {name!r} does not exist", some_names(zones))
    if not slash:
        return name, None
    if not seats:
        raise InputError(where, f"{shown(text)} names no seat", "zone/001 or zone/001-004")
    return name, [(name, seat) for seat in _seat_range(where, seats, zones[name])]


def _seat_range(where: str, text: str, zone: Zone) -> list[str]:
    """`001`, or `001-004`; a seat whose own name looks like a range is that seat."""
    match = None if text in zone.seats else _RANGE.fullmatch(text)
    seats = [text] if match is None else _numbered(where, *match.groups())
    known = frozenset(zone.seats)
    for seat in seats:
        if seat not in known:
            raise no_such_seat(where, zone, seat)
    return seats


def _numbered(where: str, prefix: str, first: str, last: str) -> list[str]:
    if int(first) > int(last):
        raise InputError(where, f"the range {prefix}{first}-{last} runs backwards",
                         "the lower seat first")
    # One more than a zone can hold is enough to name the seat that does not exist.
    stop = min(int(last), int(first) + 10_000)
    return [f"{prefix}{number:0{len(first)}}" for number in range(int(first), stop + 1)]


def parse_bookings(fields: Fields) -> tuple[Booking, ...]:
    """`bookings`: a list; one without a label is named by its place."""
    return tuple(_booking(path, item) for path, item in fields.each("bookings"))


def _booking(path: str, document: object) -> Booking:
    fields = Fields(path, document, ("tenant", "zone", "from", "to", "label"))
    return built(path, partial(
        Booking, tenant=fields.need("tenant", as_text), zone=fields.need("zone", as_text),
        from_ms=to_ms(fields.need("from", as_instant)), to_ms=to_ms(fields.need("to", as_instant)),
        label=fields.get("label", as_text, path)))
