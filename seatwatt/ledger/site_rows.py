"""A site as rows of the ledger's tables, and back. Pure: rows in, a Site out.

A row is a dict of column to value without the site's id. Leases and bookings are told apart by
their labels.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from seatwatt.contract.devices import Device
from seatwatt.contract.site import (
    Acceptance,
    BandRule,
    Booking,
    Exchange,
    Lease,
    Node,
    SeatMeters,
    Share,
    Shift,
    Site,
    Tenant,
    Unaccounted,
    Zone,
)

Row = Mapping[str, Any]
Rows = dict[str, list[dict[str, Any]]]
"""Table name -> its rows, in order of position."""


def to_rows(site: Site) -> Rows:
    """All rows of the site; its leases and bookings must have labels."""
    rows: Rows = {
        "sites": [_site_row(site)],
        "zones": [{"name": z.name, "kind": z.kind, "area_m2": z.area_m2, "title": z.title}
                  for z in site.zones],
        "seats": [{"zone": z.name, "name": seat} for z in site.zones for seat in z.seats],
        "meters": [_node_row(node) for node in site.nodes],
        "exchanges": [{"meter": str(e.meter), "at_ms": e.at_ms, "quantity": e.quantity,
                       "final_wh": e.final_wh, "initial_wh": e.initial_wh}
                      for e in site.exchanges],
        "acceptances": [{"meter": str(a.meter), "at_ms": a.at_ms, "reason": a.reason}
                        for a in site.acceptances],
        "tenants": [{"id": t.id, "name": t.name} for t in site.tenants],
        "leases": [_lease_row(lease) for lease in site.leases],
        "lease_seats": [{"lease": lease.label, "zone": zone, "seat": seat}
                        for lease in site.leases for zone, seat in lease.seats],
        "lease_zones": [{"lease": lease.label, "zone": zone}
                        for lease in site.leases for zone in lease.zones],
        "bookings": [{"label": b.label, "tenant": b.tenant, "zone": b.zone,
                      "from_ms": b.from_ms, "to_ms": b.to_ms} for b in site.bookings],
        "bands": [{"band": b.band, "months": list(b.months), "days": list(b.days),
                   "start": b.start.isoformat(), "end": b.end.isoformat()} for b in site.bands],
    }
    for name, part in rows.items():
        if name != "sites":
            for position, row in enumerate(part):
                row["position"] = position
    return rows


def from_rows(site_id: str, rows: Mapping[str, Sequence[Row]]) -> Site:
    """The site again; its own checks run, so that what was tampered with is not believed."""
    head, = rows["sites"]
    return Site(
        id=site_id, name=head["name"], time_zone=ZoneInfo(head["time_zone"]),
        currency=head["currency"], interval_s=head["interval_s"], max_gap_s=head["max_gap_s"],
        sanctioned_load_w=head["sanctioned_load_w"],
        bands=tuple(_band(row) for row in rows["bands"]),
        zones=_zones(rows["zones"], rows["seats"]),
        nodes=tuple(_node(row) for row in rows["meters"]),
        seat_meters=_seat_meters(head),
        unaccounted=Unaccounted(share=_share(head, "unaccounted"),
                                alarm_pct=head["unaccounted_alarm_pct"]),
        exchanges=tuple(Exchange(
            meter=Device.parse(r["meter"]), at_ms=r["at_ms"], quantity=r["quantity"],
            final_wh=r["final_wh"], initial_wh=r["initial_wh"]) for r in rows["exchanges"]),
        acceptances=tuple(Acceptance(meter=Device.parse(r["meter"]), at_ms=r["at_ms"],
                                     reason=r["reason"]) for r in rows["acceptances"]),
        tenants=tuple(Tenant(id=r["id"], name=r["name"]) for r in rows["tenants"]),
        leases=_leases(rows["leases"], rows["lease_seats"], rows["lease_zones"]),
        bookings=tuple(Booking(tenant=r["tenant"], zone=r["zone"], from_ms=r["from_ms"],
                               to_ms=r["to_ms"], label=r["label"])
                       for r in rows["bookings"]),
    )


def _site_row(site: Site) -> dict[str, Any]:
    seat = site.seat_meters
    return {
        "name": site.name, "time_zone": site.time_zone.key, "currency": site.currency,
        "interval_s": site.interval_s, "max_gap_s": site.max_gap_s,
        "sanctioned_load_w": site.sanctioned_load_w,
        **_share_columns("unaccounted", site.unaccounted.share),
        "unaccounted_alarm_pct": site.unaccounted.alarm_pct,
        "seat_parent": seat and seat.parent, "seat_max_power_w": seat and seat.max_power_w,
        "seat_register_modulus_wh": seat and seat.register_modulus_wh,
        "seat_multiplier": seat and seat.multiplier,
    }


def _seat_meters(head: Row) -> SeatMeters | None:
    if head["seat_parent"] is None:
        return None
    return SeatMeters(parent=head["seat_parent"], max_power_w=head["seat_max_power_w"],
                      register_modulus_wh=head["seat_register_modulus_wh"],
                      multiplier=head["seat_multiplier"])


def _share_columns(prefix: str, share: Share) -> dict[str, Any]:
    return {f"{prefix}_rule": share.rule, f"{prefix}_otherwise": share.otherwise,
            f"{prefix}_vacant_counts": share.vacant_counts,
            f"{prefix}_weights": [list(pair) for pair in share.weights]}


def _share(row: Row, prefix: str) -> Share:
    return Share(rule=row[f"{prefix}_rule"], otherwise=row[f"{prefix}_otherwise"],
                 vacant_counts=row[f"{prefix}_vacant_counts"],
                 weights=tuple((party, weight) for party, weight in row[f"{prefix}_weights"]))


def _node_row(node: Node) -> dict[str, Any]:
    return {"device": str(node.device), "source": node.source,
            "parent": None if node.parent is None else str(node.parent),
            **_share_columns("share", node.share),
            "serves": None if node.serves is None else list(node.serves),
            "metered": node.metered, "storage": node.storage, "max_power_w": node.max_power_w,
            "register_modulus_wh": node.register_modulus_wh, "multiplier": node.multiplier,
            "title": node.title}


def _node(row: Row) -> Node:
    return Node(
        device=Device.parse(row["device"]), source=row["source"],
        parent=None if row["parent"] is None else Device.parse(row["parent"]),
        share=_share(row, "share"),
        serves=None if row["serves"] is None else tuple(row["serves"]),
        metered=row["metered"], storage=row["storage"], max_power_w=row["max_power_w"],
        register_modulus_wh=row["register_modulus_wh"], multiplier=row["multiplier"],
        title=row["title"])


def _zones(zones: Sequence[Row], seats: Sequence[Row]) -> tuple[Zone, ...]:
    by_zone: dict[str, list[str]] = defaultdict(list)
    for seat in seats:
        by_zone[seat["zone"]].append(seat["name"])
    return tuple(Zone(name=z["name"], kind=z["kind"], area_m2=z["area_m2"], title=z["title"],
                      seats=tuple(by_zone[z["name"]])) for z in zones)


def _band(row: Row) -> BandRule:
    return BandRule(band=row["band"], months=tuple(row["months"]), days=tuple(row["days"]),
                    start=time.fromisoformat(row["start"]), end=time.fromisoformat(row["end"]))


def _lease_row(lease: Lease) -> dict[str, Any]:
    shift = lease.shift
    return {"label": lease.label, "tenant": lease.tenant,
            "from_": lease.from_.isoformat(), "to": lease.to and lease.to.isoformat(),
            "shift_days": shift and list(shift.days),
            "shift_start": shift and shift.start.isoformat(),
            "shift_end": shift and shift.end.isoformat()}


def _leases(leases: Sequence[Row], seats: Sequence[Row], zones: Sequence[Row]
            ) -> tuple[Lease, ...]:
    seats_of: dict[str, list[tuple[str, str]]] = defaultdict(list)
    zones_of: dict[str, list[str]] = defaultdict(list)
    for row in seats:
        seats_of[row["lease"]].append((row["zone"], row["seat"]))
    for row in zones:
        zones_of[row["lease"]].append(row["zone"])
    return tuple(Lease(
        tenant=r["tenant"], seats=tuple(seats_of[r["label"]]), zones=tuple(zones_of[r["label"]]),
        from_=_when(r["from_"]), to=None if r["to"] is None else _when(r["to"]), shift=_shift(r),
        label=r["label"]) for r in leases)


def _when(text: str) -> date | datetime:
    return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)


def _shift(row: Row) -> Shift | None:
    if row["shift_start"] is None:
        return None
    return Shift(days=tuple(row["shift_days"]), start=time.fromisoformat(row["shift_start"]),
                 end=time.fromisoformat(row["shift_end"]))
