"""The meter tree: nodes, how their residuals are shared, and what happened to their registers."""

from dataclasses import dataclass, field

from seatwatt.contract._values import finite, positive
from seatwatt.contract.devices import Device
from seatwatt.contract.errors import InputError
from seatwatt.contract.quantities import QUANTITIES, Nature

SOURCES = ("grid", "generator", "solar")
"""Kinds of source, in the order in which a party's energy is split over them."""

REGISTER_MAX_WH = 9e12
"""Largest register, multiplier applied: below 2**53 mWh, where float64 still counts single mWh."""

MULTIPLIER_MAX = 1e6

SUPPLY = "supply"
OPERATOR = "operator"

SHARE_RULES = ("consumption", "seats", "occupancy", "area", "equal", "fixed", "bookings",
               "operator")


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How a node's residual is shared. `weights` (party -> integer) belong to `fixed`."""

    rule: str
    otherwise: str = OPERATOR
    """For `bookings`: the rule for unbooked time."""
    vacant_counts: bool = True
    """For `seats`: whether vacant seat-time counts for the operator (`vacant: excluded` = no)."""
    weights: tuple[tuple[str, int], ...] = ()

    def __post_init__(self) -> None:
        for where, rule in (("share", self.rule), ("otherwise", self.otherwise)):
            if rule not in SHARE_RULES:
                raise InputError(where, f"{rule!r} is unknown", ", ".join(SHARE_RULES))
        if self.otherwise == "bookings":
            raise InputError("otherwise", "'bookings' cannot share unbooked time", "another rule")
        self._check_weights()

    def _check_weights(self) -> None:
        fixed = "fixed" in (self.rule, self.otherwise)
        if fixed and not any(weight > 0 for _, weight in self.weights):
            raise InputError("weights", "share: fixed has no weights", "a number above 0")
        if self.weights and not fixed:
            raise InputError("weights", f"share: {self.rule} takes no weights", "share: fixed")
        for party, weight in self.weights:
            if weight < 0:
                raise InputError(f"weights.{party}", f"{weight} is negative", "0 or more")


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

    def __post_init__(self) -> None:
        if self.device.kind not in ("meter", "ups"):
            raise InputError("device", f"{self.device} is no meter or ups",
                             "kind/zone/device")
        if self.source is not None:
            self._check_source(self.source)
        _check_register(self)

    def _check_source(self, source: str) -> None:
        if source not in SOURCES:
            raise InputError("source", f"{source!r} is unknown", ", ".join(SOURCES))
        if self.parent is not None:
            raise InputError("parent", "a source has no parent: the sources are the supply",
                             "no parent, or no source")
        if not self.metered:
            raise InputError("metered", "a source needs a meter of its own", "true")


def check_reading(where: str, value_wh: float, multiplier: float) -> None:
    """InputError for what no register can show, `multiplier` considered."""
    if finite(where, value_wh) < 0:
        raise InputError(where, f"{value_wh} is negative", "a register")
    limit_wh = REGISTER_MAX_WH / multiplier
    if value_wh > limit_wh:
        raise InputError(where, f"{value_wh} Wh is no register reading", f"at most {limit_wh:g}")


def _check_register(meter: "Node | SeatMeters") -> None:
    if positive("multiplier", meter.multiplier, MULTIPLIER_MAX) < 1 / MULTIPLIER_MAX:
        raise InputError("multiplier", f"{meter.multiplier} is too small",
                         f"at least {1 / MULTIPLIER_MAX:g}")
    if meter.max_power_w is not None:
        positive("max_power_w", meter.max_power_w)
    if meter.register_modulus_wh is not None:
        positive("register_modulus_wh", meter.register_modulus_wh,
                 REGISTER_MAX_WH / meter.multiplier)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatMeters:
    """Seats that report energy hang under `parent`; `{zone}` stands for the seat's zone."""

    parent: str = "{zone}/board"
    max_power_w: float | None = None
    register_modulus_wh: float | None = None
    multiplier: float = 1.0

    def __post_init__(self) -> None:
        self.parent_in("zone")
        _check_register(self)

    def parent_in(self, zone: str) -> Device | None:
        """The node under which the seats of `zone` hang; None is the supply."""
        return parent_device(self.parent.replace("{zone}", zone))


def parent_device(text: str) -> Device | None:
    """`supply` (None), or another node as `zone/device` or `kind/zone/device`."""
    return None if text == SUPPLY else Device.parse(text, kind="meter")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A meter was exchanged: the old one read `final_wh`, the new one `initial_wh`."""

    meter: Device
    at_ms: int
    final_wh: float
    initial_wh: float
    quantity: str = ""
    """Empty: the device's import register."""

    def __post_init__(self) -> None:
        for name in ("final_wh", "initial_wh"):
            check_reading(name, getattr(self, name), 1.0)
        registers = [name for (kind, name), row in QUANTITIES.items()
                     if kind == self.meter.kind and row.nature is Nature.REGISTER]
        if not registers:
            raise InputError("meter", f"{self.meter} has no register", "a meter or a seat")
        if self.quantity and self.quantity not in registers:
            raise InputError("quantity", f"{self.quantity!r} is no register of {self.meter}",
                             ", ".join(registers))


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """An operator's word on a leap: the reading at `at_ms` is right, its step counts."""

    meter: Device
    at_ms: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unaccounted:
    """How the root's residual is shared, and the percentage above which it is an alarm."""

    share: Share = field(default_factory=lambda: Share(rule="consumption"))
    alarm_pct: float = 5.0

    def __post_init__(self) -> None:
        if self.share.rule == "bookings":
            raise InputError("share", "the supply is no room to be booked", "another rule")
        if finite("alarm_pct", self.alarm_pct) < 0:
            raise InputError("alarm_pct", f"{self.alarm_pct} is negative", "0 or more")
