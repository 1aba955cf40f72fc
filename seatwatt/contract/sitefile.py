"""The site file: a mapping as YAML or JSON gives it -> Site. `sitedocument` is the way back.

Whatever is wrong is an InputError of one line: where (`leases[2].shift.days`), what it is, what was
expected. The reader of the YAML text, which knows the lines, is `seatwatt.store.sitefiles`.
"""

from functools import partial
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from seatwatt.contract._calendar import as_instant, as_length_s, as_names
from seatwatt.contract._fields import (
    Fields,
    as_flag,
    as_number,
    as_text,
    as_weights,
    built,
    shown,
)
from seatwatt.contract._holdings import parse_bands, parse_bookings, parse_leases
from seatwatt.contract.devices import Device
from seatwatt.contract.errors import InputError
from seatwatt.contract.intervals import to_ms
from seatwatt.contract.meters import (
    Acceptance,
    Exchange,
    Node,
    SeatMeters,
    Share,
    Unaccounted,
    parent_device,
)
from seatwatt.contract.site import Site, Tenant, Zone

SEATS_MAX = 10_000
"""The most seats that a zone may declare by their number."""

_SITE = ("site", "name", "time_zone", "currency", "interval", "max_gap", "sanctioned_load_w",
         "bands", "zones", "meters", "seat_meters", "unaccounted", "exchanges", "acceptances",
         "tenants", "leases", "bookings")
_SHARE = ("share", "otherwise", "vacant", "weights")
_REGISTER = ("parent", "max_power_w", "register_modulus_wh", "multiplier")
_NODE = (*_REGISTER, *_SHARE, "source", "serves", "metered", "storage", "title")


def parse_site(document: object, where: str = "site") -> Site:
    """The site that `document` declares. Raises InputError (ConflictError for two declarations
    that clash); `where` names the whole in front of the field's path, empty leaves it out."""
    try:
        return _site(Fields("", document, _SITE))
    except InputError as error:
        raise (error.within(where) if where else error) from None


def _site(fields: Fields) -> Site:
    site_id = fields.need("site", as_text)
    zones = tuple(_zone(*entry) for entry in fields.entries("zones"))
    return Site(
        id=site_id,
        name=fields.get("name", as_text, site_id),
        time_zone=fields.need("time_zone", as_time_zone),
        currency=fields.need("currency", as_text),
        interval_s=fields.get("interval", as_length_s, 1800),
        max_gap_s=fields.get("max_gap", as_length_s, 900),
        sanctioned_load_w=fields.maybe("sanctioned_load_w", as_number),
        bands=parse_bands(fields),
        zones=zones,
        nodes=tuple(_node(*entry) for entry in fields.entries("meters")),
        seat_meters=fields.maybe("seat_meters", _seat_meters),
        unaccounted=fields.get("unaccounted", _unaccounted, Unaccounted()),
        exchanges=tuple(_exchange(*item) for item in fields.each("exchanges")),
        acceptances=tuple(_acceptance(*item) for item in fields.each("acceptances")),
        tenants=tuple(_tenant(*entry) for entry in fields.entries("tenants")),
        leases=parse_leases(fields, zones),
        bookings=parse_bookings(fields),
    )


def as_time_zone(where: str, value: object) -> ZoneInfo:
    """A zone of the IANA data base by its name."""
    try:
        return ZoneInfo(as_text(where, value))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InputError(where, f"{shown(value)} is not a time zone", "such as Asia/Karachi"
                         ) from None


def _zone(path: str, name: str, document: object) -> Zone:
    fields = Fields(path, document, ("kind", "area_m2", "seats", "title"))
    return built(path, partial(
        Zone, name=name, kind=fields.get("kind", as_text, "hall"),
        area_m2=fields.maybe("area_m2", as_number), seats=fields.get("seats", _seats, ()),
        title=fields.get("title", as_text, "")))


def _seats(where: str, value: object) -> tuple[str, ...]:
    """A number of seats, which become 001, 002 ..., or a list of their names."""
    if not isinstance(value, int) or isinstance(value, bool):
        return tuple(as_names(where, value))
    if not 0 <= value <= SEATS_MAX:
        raise InputError(where, f"{value} is no number of seats", f"0 to {SEATS_MAX}, or names")
    return tuple(f"{number:03}" for number in range(1, value + 1))


def _share(fields: Fields, default: str) -> Share:
    return built(fields.path, partial(
        Share, rule=fields.get("share", as_text, default),
        otherwise=fields.get("otherwise", as_text, "operator"),
        vacant_counts=fields.get("vacant", _vacant, True),
        weights=fields.get("weights", as_weights, ())))


def _vacant(where: str, value: object) -> bool:
    if value not in ("counted", "excluded"):
        raise InputError(where, f"{shown(value)} is unknown", "counted or excluded")
    return value == "counted"


def _node(path: str, key: str, document: object) -> Node:
    device = built(path, partial(Device.parse, key, kind="meter"))
    fields = Fields(path, document, _NODE)
    metered = fields.get("metered", as_flag, device.kind != "ups")
    if metered and device.kind == "ups":
        raise InputError(fields.at("metered"), "a ups has no energy register",
                         "false, or a meter instead")
    share = _share(fields, "consumption")
    return built(path, partial(
        Node, device=device, share=share, metered=metered,
        source=fields.maybe("source", as_text), parent=_parent(fields),
        serves=fields.maybe("serves", _zones),
        storage=fields.get("storage", as_flag, False),
        max_power_w=fields.maybe("max_power_w", as_number),
        register_modulus_wh=fields.maybe("register_modulus_wh", as_number),
        multiplier=fields.get("multiplier", as_number, 1.0),
        title=fields.get("title", as_text, "")))


def _zones(where: str, value: object) -> tuple[str, ...]:
    return tuple(dict.fromkeys(as_names(where, value)))


def _parent(fields: Fields) -> Device | None:
    if fields.has("source") and fields.has("parent"):
        raise InputError(fields.at("parent"), "a source has no parent: the sources are the supply",
                         "no parent, or no source")
    text = fields.get("parent", as_text, "supply")
    return built(fields.at("parent"), partial(parent_device, text))


def _seat_meters(path: str, document: object) -> SeatMeters:
    fields = Fields(path, document, _REGISTER)
    return built(path, partial(
        SeatMeters, parent=fields.get("parent", as_text, "{zone}/board"),
        max_power_w=fields.maybe("max_power_w", as_number),
        register_modulus_wh=fields.maybe("register_modulus_wh", as_number),
        multiplier=fields.get("multiplier", as_number, 1.0)))


def _unaccounted(path: str, document: object) -> Unaccounted:
    fields = Fields(path, document, (*_SHARE, "alarm_pct"))
    return built(path, partial(Unaccounted, share=_share(fields, "consumption"),
                               alarm_pct=fields.get("alarm_pct", as_number, 5.0)))


def _device(where: str, value: object) -> Device:
    return built(where, partial(Device.parse, as_text(where, value), kind="meter"))


def _exchange(path: str, document: object) -> Exchange:
    fields = Fields(path, document, ("meter", "at", "final_wh", "initial_wh", "quantity"))
    return built(path, partial(
        Exchange, meter=fields.need("meter", _device), at_ms=to_ms(fields.need("at", as_instant)),
        final_wh=fields.need("final_wh", as_number),
        initial_wh=fields.need("initial_wh", as_number),
        quantity=fields.get("quantity", as_text, "")))


def _acceptance(path: str, document: object) -> Acceptance:
    fields = Fields(path, document, ("meter", "at", "reason"))
    return Acceptance(meter=fields.need("meter", _device),
                      at_ms=to_ms(fields.need("at", as_instant)),
                      reason=fields.get("reason", as_text, ""))


def _tenant(path: str, name: str, document: object) -> Tenant:
    fields = Fields(path, document, ("name",))
    return built(path, partial(Tenant, id=name, name=fields.get("name", as_text, name)))
