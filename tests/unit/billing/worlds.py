"""Small sites with hand-made energies, for tests of billing."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from seatwatt.billing.apportion import apportion
from seatwatt.billing.result import Apportionment
from seatwatt.billing.spans import Spans
from seatwatt.contract.devices import Device
from seatwatt.contract.findings import Finding
from seatwatt.contract.intervals import IntervalGrid, to_ms
from seatwatt.contract.leases import Booking, Lease, Tenant
from seatwatt.contract.meters import Node, SeatMeters, Share
from seatwatt.contract.site import Site, Zone
from seatwatt.metering.energy import MeterEnergy, Quality

KARACHI = ZoneInfo("Asia/Karachi")
MINUTE_MS = 60_000


def moment(text: str) -> datetime:
    """`10:15` on Wednesday 7 October 2026 in Karachi, or a whole local time."""
    whole = text if "T" in text else f"2026-10-07T{text}"
    return datetime.fromisoformat(whole).replace(tzinfo=KARACHI)


def ms(text: str) -> int:
    """The same in UTC milliseconds."""
    return to_ms(moment(text))


def grid(start: str = "10:00", end: str = "12:00", minutes: int = 60) -> IntervalGrid:
    """The intervals between two moments."""
    return IntervalGrid.between(ms(start), ms(end), minutes * 60, KARACHI)


def meter(name: str) -> Device:
    """`hall-a/board`."""
    return Device.parse(name, kind="meter")


def node(name: str, parent: str = "", share: str | Share = "seats", **more: Any) -> Node:
    """A node of the tree; `source` and others as in the model."""
    rule = Share(rule=share) if isinstance(share, str) else share
    return Node(device=meter(name), parent=meter(parent) if parent else None, share=rule, **more)


def lease(tenant: str, *seats: str, from_: date | datetime = date(2026, 10, 1),
          **more: Any) -> Lease:
    """`seats` as zone/seat."""
    pairs = tuple((zone, name) for zone, name in (seat.split("/") for seat in seats))
    return Lease(tenant=tenant, seats=pairs, from_=from_, **more)


def booking(tenant: str, zone: str, start: str, end: str) -> Booking:
    """A room between two moments."""
    return Booking(tenant=tenant, zone=zone, from_ms=ms(start), to_ms=ms(end))


def site(nodes: Sequence[Node] = (), leases: Sequence[Lease] = (),
         zones: Mapping[str, Any] | None = None, tenants: Sequence[str] = ("alpha", "beta"),
         **more: Any) -> Site:
    """Zones as {name: number of seats, or Zone's fields}; a grid is always there."""
    made = []
    for name, spec in (zones or {"hall-a": 4}).items():
        fields = {"seats": spec} if isinstance(spec, int) else dict(spec)
        seats = tuple(f"{n:03d}" for n in range(1, fields.pop("seats", 0) + 1))
        made.append(Zone(name=name, seats=seats, **fields))
    return Site(**{
        "id": "test", "name": "Test", "time_zone": KARACHI, "currency": "PKR",
        "interval_s": 3600, "zones": tuple(made),
        "nodes": (Node(device=meter("plant/grid"), source="grid"), *nodes),
        "seat_meters": SeatMeters(parent="supply"),
        "tenants": tuple(Tenant(id=name) for name in tenants), "leases": tuple(leases)} | more)


def energy(device: Device, milliwh: Sequence[int], estimated: Sequence[int] = (),
           findings: Sequence[Finding] = ()) -> MeterEnergy:
    """Energies by interval; those at the positions `estimated` are."""
    quality = np.full(len(milliwh), Quality.MEASURED, dtype=np.uint8)
    quality[list(estimated)] = Quality.ESTIMATED
    return MeterEnergy(device, np.array(milliwh, dtype=np.int64), quality,
                       findings=tuple(findings))


def energies(**read: Sequence[int]) -> dict[Device, MeterEnergy]:
    """`plant_grid=[...]` for meter/plant/grid, `seat__hall_a__001=[...]` for a seat."""
    found = {}
    for key, milliwh in read.items():
        parts = key.split("__") if "__" in key else ["meter", *key.split("_", 1)]
        device = Device(*(part.replace("_", "-") for part in parts))
        found[device] = energy(device, milliwh)
    return found


def totals(result: Apportionment, which: str = "energy") -> dict[str, int]:
    """Each party's milliwatt-hours over the period, those without any left out."""
    sums = getattr(result, f"{which}_milliwh").sum(axis=0)
    return {party: int(value) for party, value in zip(result.parties, sums, strict=True) if value}


def run(declared: Site, read: Mapping[Device, MeterEnergy], over: IntervalGrid | None = None,
        occupancy: Mapping[tuple[str, str], Spans] | None = None) -> Apportionment:
    """Apportion over 10:00 to 12:00 by the hour unless told otherwise."""
    return apportion(declared, over or grid(), read, occupancy)


def instant(at_ms: int) -> datetime:
    """An instant as a lease takes it."""
    return datetime.fromtimestamp(at_ms / 1000, UTC)
