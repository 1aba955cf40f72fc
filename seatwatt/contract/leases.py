"""Who holds what and when: tenants, leases with their shifts, bookings of rooms."""

from dataclasses import dataclass
from datetime import date, datetime, time

from seatwatt.contract._values import numbers_within
from seatwatt.contract.devices import check_identifier
from seatwatt.contract.errors import InputError
from seatwatt.contract.meters import OPERATOR


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A company that leases seats; `id` is the party's name everywhere."""

    id: str
    name: str = ""

    def __post_init__(self) -> None:
        check_identifier("id", self.id)
        if self.id == OPERATOR:
            raise InputError("id", "a tenant cannot be named operator", "another id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A weekly shift in local time; `end <= start` runs past midnight into the next day.

    `days` are 0 (Monday) to 6, the days on which it starts.
    """

    days: tuple[int, ...]
    start: time
    end: time

    def __post_init__(self) -> None:
        numbers_within("days", self.days, 0, 6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """`tenant` holds `seats` (zone, seat) during [from, to), in its shift if it has one.

    `from_` and `to` are local dates (from midnight) or instants; `to` None is open. With a shift
    the tenant holds those moments of [from, to) that lie in the shift: an occurrence that is under
    way at `from` is held from there on, one under way at `to` until there.
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

    def __post_init__(self) -> None:
        if not self.seats and not self.zones:
            raise InputError("seats", "the lease claims nothing", "seats or zones")
        for name, when in (("from", self.from_), ("to", self.to)):
            if when is not None and not 2000 <= when.year < 2200:
                raise InputError(name, f"the year {when.year} is out of range", "2000 to 2199")
            if isinstance(when, datetime) and when.tzinfo is None:
                raise InputError(name, f"{when} has no time zone", "a date, or an instant with one")


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """`tenant` has the room `zone` for itself during [from_ms, to_ms)."""

    tenant: str
    zone: str
    from_ms: int
    to_ms: int
    label: str = ""

    def __post_init__(self) -> None:
        if self.from_ms >= self.to_ms:
            raise InputError("from", "from is not before to", "from before to")
