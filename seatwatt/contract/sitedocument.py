"""Site -> the mapping of its site file: texts, numbers, lists and mappings only, so that YAML, JSON
and the ledger carry it alike. `parse_site(site_document(site)) == site`; defaults are left out.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from seatwatt.contract._calendar import DAYS, MONTHS, names_of
from seatwatt.contract.meters import Exchange, Node, SeatMeters, Share, Unaccounted
from seatwatt.contract.site import Booking, Lease, Shift, Site, Zone
from seatwatt.contract.sitechecks import node_key

Document = dict[str, object]


def site_document(site: Site) -> Document:
    """The site file's mapping of `site`."""
    zones = {zone.name: zone for zone in site.zones}
    return _filled({
        "site": site.id, "name": site.name, "time_zone": site.time_zone.key,
        "currency": site.currency, "interval": _length(site.interval_s),
        "max_gap": _length(site.max_gap_s), "sanctioned_load_w": site.sanctioned_load_w,
        "bands": _bands(site),
        "zones": {zone.name: _zone(zone) for zone in site.zones},
        "meters": {node_key(node.device): _node(node) for node in site.nodes},
        "seat_meters": site.seat_meters and _seat_meters(site.seat_meters),
        "unaccounted": _unaccounted(site.unaccounted),
        "exchanges": [_exchange(each, site.time_zone) for each in site.exchanges],
        "acceptances": [
            {"meter": str(each.meter), "at": _instant(each.at_ms, site.time_zone),
             **({"reason": each.reason} if each.reason else {})} for each in site.acceptances],
        "tenants": {tenant.id: _filled({"name": tenant.name}) for tenant in site.tenants},
        "leases": [_lease(index, lease, zones) for index, lease in enumerate(site.leases)],
        "bookings": [_booking(index, each, site.time_zone)
                     for index, each in enumerate(site.bookings)],
    })


def _filled(document: Document) -> Document:
    """Without what is not there: None, empty texts, lists and mappings."""
    return {key: value for key, value in document.items() if value not in (None, "", [], {}, ())}


def _changed(document: Document, **defaults: object) -> Document:
    """Without what stands at its default."""
    return {key: value for key, value in _filled(document).items()
            if key not in defaults or value != defaults[key]}


def _length(seconds: int) -> str:
    return f"{seconds // 60}min" if seconds % 60 == 0 else f"{seconds}s"


def _clock(at: time) -> str:
    return at.isoformat("seconds" if at.second else "minutes")


def _instant(at_ms: int, zone: ZoneInfo) -> str:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)
    return at.astimezone(zone).isoformat()


def _bands(site: Site) -> dict[str, list[Document]]:
    bands: dict[str, list[Document]] = {}
    for rule in site.bands:
        bands.setdefault(rule.band, []).append(_changed(
            {"months": names_of(rule.months, MONTHS, 1), "days": names_of(rule.days, DAYS, 0),
             "from": _clock(rule.start), "to": _clock(rule.end)},
            months=",".join(MONTHS), days=",".join(DAYS)))
    return bands


def _zone(zone: Zone) -> Document:
    numbered = tuple(f"{number:03}" for number in range(1, len(zone.seats) + 1))
    seats = len(zone.seats) if zone.seats == numbered else list(zone.seats)
    return _filled({"kind": zone.kind, "area_m2": zone.area_m2, "seats": seats or None,
                    "title": zone.title})


def _share(share: Share) -> Document:
    return _changed({"share": share.rule, "otherwise": share.otherwise,
                     "vacant": "counted" if share.vacant_counts else "excluded",
                     "weights": dict(share.weights)},
                    share="consumption", otherwise="operator", vacant="counted")


def _register(meter: Node | SeatMeters) -> Document:
    return _changed({"max_power_w": meter.max_power_w, "multiplier": meter.multiplier,
                     "register_modulus_wh": meter.register_modulus_wh}, multiplier=1.0)


def _node(node: Node) -> Document:
    document: Document = {"source": node.source, "title": node.title}
    if node.source is None:
        document["parent"] = node_key(node.parent) if node.parent else "supply"
    document |= {**_share(node.share), **_register(node)}
    document = _filled(document)
    if node.serves is not None:
        document["serves"] = list(node.serves)
    if node.metered != (node.device.kind != "ups"):
        document["metered"] = node.metered
    if node.storage:
        document["storage"] = True
    return document


def _seat_meters(meters: SeatMeters) -> Document:
    return {"parent": meters.parent, **_register(meters)}


def _unaccounted(unaccounted: Unaccounted) -> Document:
    return {**_share(unaccounted.share), "alarm_pct": unaccounted.alarm_pct}


def _exchange(exchange: Exchange, zone: ZoneInfo) -> Document:
    return {"meter": str(exchange.meter), "at": _instant(exchange.at_ms, zone),
            "final_wh": exchange.final_wh, "initial_wh": exchange.initial_wh,
            **({"quantity": exchange.quantity} if exchange.quantity else {})}


def _lease(index: int, lease: Lease, zones: dict[str, Zone]) -> Document:
    return _changed(
        {"tenant": lease.tenant, "seats": _seats(lease, zones), "zones": list(lease.zones),
         "from": lease.from_.isoformat(), "to": lease.to and lease.to.isoformat(),
         "shift": lease.shift and _shift(lease.shift), "label": lease.label},
        label=f"leases[{index}]")


def _shift(shift: Shift) -> Document:
    return {"days": names_of(shift.days, DAYS, 0), "start": _clock(shift.start),
            "end": _clock(shift.end)}


def _seats(lease: Lease, zones: dict[str, Zone]) -> list[str]:
    """Seats as `zone/001-004` where they follow one another by number, else one by one."""
    texts: list[str] = []
    for run in _runs(lease.seats):
        (zone, first), (_, last) = run[0], run[-1]
        if len(run) > 2 and f"{first}-{last}" not in zones[zone].seats:
            texts.append(f"{zone}/{first}-{last}")
        else:
            texts += [f"{zone}/{seat}" for _, seat in run]
    return texts


def _runs(seats: Iterable[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    runs: list[list[tuple[str, str]]] = []
    for zone, seat in seats:
        if runs and seat.isdigit() and runs[-1][-1] == (zone, f"{int(seat) - 1:0{len(seat)}}"):
            runs[-1].append((zone, seat))
        else:
            runs.append([(zone, seat)])
    return runs


def _booking(index: int, booking: Booking, zone: ZoneInfo) -> Document:
    return _changed(
        {"tenant": booking.tenant, "zone": booking.zone, "label": booking.label,
         "from": _instant(booking.from_ms, zone), "to": _instant(booking.to_ms, zone)},
        label=f"bookings[{index}]")
