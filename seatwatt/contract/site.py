"""The site model: one shape for the site file, the ledger and the API.

Every class checks itself where a single value can be wrong; what concerns several of them
(unknown parents, cycles, overlapping leases) is checked by Site, which names both sides.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from seatwatt.contract.devices import Device

SOURCES = ("grid", "generator", "solar")
"""Kinds of source, in the order in which a party's energy is split over them."""

SUPPLY = "supply"
OPERATOR = "operator"
OFFPEAK = "offpeak"

SHARE_RULES = ("consumption", "seats", "occupancy", "area", "equal", "fixed", "bookings",
               "operator")


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A part of the site: a hall, a conference room, the plant room. `area_m2` may be unknown."""

    name: str
    kind: str = "hall"
    area_m2: float | None = None
    seats: tuple[str, ...] = ()
    """Names of the seats; a number of seats in the file becomes 001, 002 ..."""
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How a node's residual is shared. `weights` (party -> integer) belong to `fixed`."""

    rule: str
    otherwise: str = OPERATOR
    """For `bookings`: the rule for unbooked time."""
    vacant_counts: bool = True
    """For `seats`: whether vacant seat-time counts for the operator (`vacant: excluded` = no)."""
    weights: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One node of the meter tree. `parent` is `supply` or the device of another node.

    A source has no parent: the sources together are the supply. `metered=False` passes its
    children through. `storage` marks a UPS or battery, which may be negative in an interval.
    """

    device: Device
    source: str | None = None
    """One of SOURCES, or None."""
    parent: Device | None = None
    """None: the parent is the supply."""
    share: Share = field(default_factory=lambda: Share(rule="consumption"))
    serves: tuple[str, ...] | None = None
    """Zones it serves; None: its own zone and what its children serve."""
    metered: bool = True
    storage: bool = False
    max_power_w: float | None = None
    register_modulus_wh: float | None = None
    multiplier: float = 1.0
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatMeters:
    """Seats that report energy hang under `parent`; `{zone}` stands for the seat's zone."""

    parent: str = "{zone}/board"
    max_power_w: float | None = None
    register_modulus_wh: float | None = None
    multiplier: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A meter was exchanged: the old one read `final_wh`, the new one `initial_wh`."""

    meter: Device
    at_ms: int
    final_wh: float
    initial_wh: float
    quantity: str = ""
    """Empty: the device's import register."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """An operator's word on a leap: the reading at `at_ms` is right, its step counts."""

    meter: Device
    at_ms: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A company that leases seats; `id` is the party's name everywhere."""

    id: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A weekly shift in local time; `end <= start` runs past midnight into the next day.

    `days` are 0 (Monday) to 6, the days on which it starts.
    """

    days: tuple[int, ...]
    start: time
    end: time


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """`tenant` holds `seats` (zone, seat) during [from, to), in its shift if it has one.

    `from_` and `to` are local dates (from midnight) or instants; `to` None is open. With a shift,
    an occurrence that begins inside [from, to) is cut at `to`.
    `zones` are leased whole: all their seats, and rooms without seats.
    """

    tenant: str
    seats: tuple[tuple[str, str], ...]
    zones: tuple[str, ...] = ()
    from_: date | datetime
    to: date | datetime | None = None
    shift: Shift | None = None
    label: str = ""
    """How the lease is named in messages: `leases[2]`, or the ledger's id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """`tenant` has the room `zone` for itself during [from_ms, to_ms)."""

    tenant: str
    zone: str
    from_ms: int
    to_ms: int
    label: str = ""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Unaccounted:
    """How the root's residual is shared, and the percentage above which it is an alarm."""

    share: Share = field(default_factory=lambda: Share(rule="consumption"))
    alarm_pct: float = 5.0


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
