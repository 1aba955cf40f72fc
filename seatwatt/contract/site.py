"""The site model: one shape for the site file, the ledger and the API.

Every class checks itself where a single value can be wrong; what concerns several of them
(unknown parents, cycles, overlapping leases) is checked by Site, which names both sides.
"""

from dataclasses import dataclass, field
from datetime import time
from zoneinfo import ZoneInfo

from seatwatt.contract import sitechecks
from seatwatt.contract._values import numbers_within, positive
from seatwatt.contract.devices import check_identifier
from seatwatt.contract.errors import InputError
from seatwatt.contract.intervals import INTERVAL_LENGTHS_S
from seatwatt.contract.leases import Booking, Lease, Shift, Tenant
from seatwatt.contract.meters import (
    OPERATOR,
    SHARE_RULES,
    SOURCES,
    SUPPLY,
    Acceptance,
    Exchange,
    Node,
    SeatMeters,
    Share,
    Unaccounted,
)

__all__ = [
    "OFFPEAK", "OPERATOR", "SHARE_RULES", "SOURCES", "SUPPLY", "Acceptance", "BandRule",
    "Booking", "Exchange", "Lease", "Node", "SeatMeters", "Share", "Shift", "Site", "Tenant",
    "Unaccounted", "Zone",
]

OFFPEAK = "offpeak"
"""The band of all time that no band names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A part of the site: a hall, a conference room, the plant room. `area_m2` may be unknown."""

    name: str
    kind: str = "hall"
    area_m2: float | None = None
    seats: tuple[str, ...] = ()
    """Names of the seats; a number of seats in the file becomes 001, 002 ..."""
    title: str = ""

    def __post_init__(self) -> None:
        check_identifier("name", self.name)
        for seat in self.seats:
            check_identifier("seats", seat)
        if len(set(self.seats)) != len(self.seats):
            twice = next(seat for seat in self.seats if self.seats.count(seat) > 1)
            raise InputError("seats", f"{twice!r} is named twice", "each seat once")
        if self.area_m2 is not None:
            positive("area_m2", self.area_m2)


@dataclass(frozen=True, slots=True, kw_only=True)
class BandRule:
    """A tariff band: in these months (1 to 12), on these weekdays, between two local times.

    `end <= start` runs past midnight. Times lie on half hours.
    """

    band: str
    months: tuple[int, ...]
    days: tuple[int, ...]
    start: time
    end: time

    def __post_init__(self) -> None:
        check_identifier("band", self.band)
        numbers_within("months", self.months, 1, 12)
        numbers_within("days", self.days, 0, 6)
        for name, at in (("from", self.start), ("to", self.end)):
            if at.minute not in (0, 30) or at.second or at.microsecond:
                raise InputError(name, f"{at} is not on a half hour", "hh:00 or hh:30")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Everything declared about one site. `nodes` are in file order; seats are not among them."""

    id: str
    name: str
    time_zone: ZoneInfo
    currency: str
    interval_s: int = 1800
    max_gap_s: int = 900
    bands: tuple[BandRule, ...] = ()
    zones: tuple[Zone, ...] = ()
    nodes: tuple[Node, ...] = ()
    seat_meters: SeatMeters | None = None
    unaccounted: Unaccounted = field(default_factory=Unaccounted)
    exchanges: tuple[Exchange, ...] = ()
    acceptances: tuple[Acceptance, ...] = ()
    tenants: tuple[Tenant, ...] = ()
    leases: tuple[Lease, ...] = ()
    bookings: tuple[Booking, ...] = ()
    sanctioned_load_w: float | None = None
    """What the supplier has agreed to deliver; None when it is not known."""

    def __post_init__(self) -> None:
        check_identifier("site", self.id)
        if not (len(self.currency) == 3 and self.currency.isascii() and self.currency.isupper()):
            raise InputError("currency", f"{self.currency!r} is no currency code", "such as PKR")
        if self.interval_s not in INTERVAL_LENGTHS_S:
            raise InputError("interval", f"{self.interval_s} s is not a length we know",
                             "5, 10, 15, 20, 30 or 60min")
        positive("max_gap", self.max_gap_s)
        if self.sanctioned_load_w is not None:
            positive("sanctioned_load_w", self.sanctioned_load_w)
        sitechecks.check_site(self)
