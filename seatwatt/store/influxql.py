"""Pieces of InfluxQL, quoted so that no name or value can end its quotation."""

import re
from collections.abc import Iterable

from seatwatt.contract.devices import Device
from seatwatt.contract.errors import SettingsError
from seatwatt.contract.quantities import Quantity
from seatwatt.store.tags import ABOUT_PEOPLE

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
TIME_MAX_MS = 9_223_372_036_854
"""The last whole millisecond that InfluxDB's nanoseconds reach (year 2262)."""

_DURATION = re.compile(r"([0-9]+(ns|u|ms|s|m|h|d|w))+|INF")


def name(text: str) -> str:
    """A quoted identifier: database, measurement, tag or field."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def literal(text: str) -> str:
    """A quoted string."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"


def duration(text: str) -> str:
    """How long a retention policy keeps readings; empty is for ever."""
    if not text:
        return "INF"
    if _DURATION.fullmatch(text) is None:
        raise SettingsError(f"SEATWATT_STORE_RETENTION: {text!r} is not a duration; expected "
                            "such as 400d")
    return text


def within(start_ms: int, end_ms: int) -> str:
    """The half-open range as a condition, cut to the times that InfluxDB knows."""
    start_ms, end_ms = max(start_ms, -TIME_MAX_MS), min(end_ms, TIME_MAX_MS)
    return f"time >= {start_ms}ms AND time < {end_ms}ms"


def tagged(tags: Iterable[tuple[str, str]]) -> str:
    """All tags have these values."""
    return " AND ".join(f"{name(key)} = {literal(value)}" for key, value in tags)


def of(device: Device) -> str:
    """The series of the device."""
    return tagged((("zone", device.zone), ("device", device.name)))


def select(what: str, site: str, quantity: Quantity, condition: str = "") -> str:
    """`SELECT what` (`{}` stands for the quantity's field) of a site's devices, by device."""
    return (f"SELECT {what.format(name(quantity.field))} FROM {name(quantity.kind)} "
            f"WHERE {tagged([('site', site)])}{' AND ' * bool(condition)}{condition} "
            'GROUP BY "zone", "device"')


def summed(site: str, quantity: Quantity, device: Device, start_ms: int, end_ms: int, step_ms: int
           ) -> str:
    """Count and sum of a device's readings in each step from start_ms that has any. Not by tags:
    the server would look at them reading by reading."""
    field = name(quantity.field)
    return (f"SELECT count({field}), sum({field}) FROM {name(quantity.kind)} "
            f"WHERE {tagged([('site', site)])} AND {within(start_ms, end_ms)} AND {of(device)} "
            f"GROUP BY time({step_ms}ms, {start_ms % step_ms}ms) fill(none)")


def delete(site: str, quantity: Quantity, before_ms: int) -> str:
    """`DELETE` of a site's readings about people; of the quantity's kind, which has no other."""
    here, end_ms = tagged([ABOUT_PEOPLE, ("site", site)]), min(before_ms, TIME_MAX_MS)
    return f"DELETE FROM {name(quantity.kind)} WHERE {here} AND time < {end_ms}ms"
