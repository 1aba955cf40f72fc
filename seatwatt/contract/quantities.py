"""The closed table of quantities: what may be measured, in which unit, stored as which field.

Units are those of RFC 8428 and RFC 8798; each accepted unit has the factor that turns it into
the canonical one. The stored field's name ends with its unit.
"""

from dataclasses import dataclass
from enum import Enum

from seatwatt.contract.errors import InputError


class Nature(Enum):
    """How a quantity behaves in time, and so how it may be aggregated."""

    GAUGE = "gauge"
    REGISTER = "register"
    STATE = "state"
    TEXT = "text"


@dataclass(frozen=True, slots=True, eq=False)
class Quantity:
    """One quantity of one kind of device; compared by identity, for there is one table."""

    kind: str
    name: str
    field: str
    unit: str
    """The canonical unit, as SenML writes it; empty for states, counts and texts."""
    nature: Nature
    units: dict[str, float]
    """Accepted SenML unit -> factor to the canonical unit."""
    low: float
    high: float
    """Inclusive bounds in the canonical unit; outside is T08."""


_WH = {"Wh": 1.0, "kWh": 1000.0, "J": 1 / 3600}
_VARH = {"varh": 1.0, "kvarh": 1000.0, "vars": 1 / 3600}
_W = {"W": 1.0, "kW": 1000.0}
_VA = {"VA": 1.0, "kVA": 1000.0}
_V = {"V": 1.0, "mV": 0.001}
_A = {"A": 1.0, "mA": 0.001}
_HZ = {"Hz": 1.0}
_PCT = {"%": 1.0, "/": 100.0, "%EL": 1.0}
_S = {"s": 1.0, "ms": 0.001, "min": 60.0, "h": 3600.0}
_MS = {"ms": 1.0, "s": 1000.0}
_BPS = {"bit/s": 1.0, "Mbit/s": 1e6, "B/s": 8.0, "MB/s": 8e6}
_CEL = {"Cel": 1.0}
_RATIO = {"/": 1.0, "%": 0.01, "": 1.0}
_COUNT = {"count": 1.0, "": 1.0}
_NONE = {"": 1.0}

_REGISTER_MAX_WH = 1e12
_POWER_MAX_W = 1e8

_G, _R, _S0, _T = Nature.GAUGE, Nature.REGISTER, Nature.STATE, Nature.TEXT


def _rows() -> list[Quantity]:
    def q(kind: str, name: str, suffix: str, unit: str, nature: Nature,
          units: dict[str, float], low: float, high: float) -> Quantity:
        return Quantity(kind, name, name + suffix, unit, nature, units, low, high)

    def flag(kind: str, name: str) -> Quantity:
        return q(kind, name, "", "", _S0, _NONE, 0, 1)

    power = ("power", "_w", "W", _G, _W, -_POWER_MAX_W, _POWER_MAX_W)
    voltage = ("_v", "V", _G, _V, 0, 100_000)
    current = ("_a", "A", _G, _A, -10_000, 10_000)
    return [
        flag("seat", "occupied"),
        q("seat", *power),
        q("seat", "energy", "_wh", "Wh", _R, _WH, 0, _REGISTER_MAX_WH),
        q("seat", "voltage", *voltage),
        q("seat", "current", *current),
        q("meter", "energy_import", "_wh", "Wh", _R, _WH, 0, _REGISTER_MAX_WH),
        q("meter", "energy_export", "_wh", "Wh", _R, _WH, 0, _REGISTER_MAX_WH),
        q("meter", "reactive_import", "_varh", "varh", _R, _VARH, 0, _REGISTER_MAX_WH),
        q("meter", *power),
        q("meter", "apparent_power", "_va", "VA", _G, _VA, 0, _POWER_MAX_W),
        q("meter", "power_factor", "", "/", _G, _RATIO, -1, 1),
        q("meter", "frequency", "_hz", "Hz", _G, _HZ, 0, 1000),
        *(q("meter", f"voltage_l{n}", *voltage) for n in (1, 2, 3)),
        *(q("meter", f"current_l{n}", *current) for n in (1, 2, 3)),
        q("ups", "status", "", "", _T, _NONE, 0, 0),
        *(flag("ups", name) for name in
          ("on_battery", "low_battery", "replace_battery", "overload", "bypass")),
        q("ups", "load", "_pct", "%", _G, _PCT, 0, 500),
        q("ups", "battery_charge", "_pct", "%", _G, _PCT, 0, 100),
        q("ups", "battery_runtime", "_s", "s", _G, _S, 0, 1e7),
        q("ups", "battery_voltage", "_v", "V", _G, _V, 0, 1000),
        q("ups", "input_voltage", *voltage),
        q("ups", "input_frequency", "_hz", "Hz", _G, _HZ, 0, 1000),
        q("ups", "output_voltage", *voltage),
        q("ups", *power),
        q("ups", "temperature", "_c", "Cel", _G, _CEL, -60, 200),
        flag("room", "occupied"),
        q("room", "people", "", "count", _G, _COUNT, 0, 100_000),
        flag("uplink", "up"),
        q("uplink", "latency", "_ms", "ms", _G, _MS, 0, 3_600_000),
        q("uplink", "loss", "_pct", "%", _G, _PCT, 0, 100),
        q("uplink", "download", "_bps", "bit/s", _G, _BPS, 0, 1e13),
        q("uplink", "upload", "_bps", "bit/s", _G, _BPS, 0, 1e13),
        flag("gateway", "up"),
        q("gateway", "spool_messages", "", "count", _G, _COUNT, 0, 1e12),
        q("gateway", "spool_dropped", "", "count", _G, _COUNT, 0, 1e12),
        q("gateway", "devices_failed", "", "count", _G, _COUNT, 0, 1e12),
        q("gateway", "clock_offset", "_s", "s", _G, _S, -1e10, 1e10),
    ]


QUANTITIES: dict[tuple[str, str], Quantity] = {(row.kind, row.name): row for row in _rows()}
"""(kind, quantity name) -> Quantity."""

FIELDS: dict[tuple[str, str], Quantity] = {(r.kind, r.field): r for r in QUANTITIES.values()}
"""(kind, stored field) -> Quantity."""


def quantity(kind: str, name: str) -> Quantity:
    """The row of the table; InputError when there is none."""
    found = QUANTITIES.get((kind, name))
    if found is None:
        known = ", ".join(n for k, n in QUANTITIES if k == kind)
        raise InputError("quantity", f"{name!r} is unknown for kind {kind!r}", known)
    return found
