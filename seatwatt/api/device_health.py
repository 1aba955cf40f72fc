"""Which devices were heard of lately: shown by the API, written each minute by a job."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from seatwatt.contract.devices import Device
from seatwatt.contract.site import Site
from seatwatt.store.ports import DerivedPoint, LastReading

MEASUREMENT = "device_health"


@dataclass(frozen=True, slots=True)
class DeviceHealth:
    """A device, its newest readings, and the age of the newest; None when never heard of."""

    device: Device
    last: tuple[LastReading, ...]
    age_ms: int | None
    silent: bool


def declared_devices(site: Site) -> set[Device]:
    """What must report: every metered node, and every seat where seats have meters."""
    nodes = {node.device for node in site.nodes if node.metered}
    if site.seat_meters is None:
        return nodes
    return nodes | {Device("seat", zone.name, seat) for zone in site.zones for seat in zone.seats}


def device_health(last: Sequence[LastReading], declared: Iterable[Device], now_ms: int,
                  silent_after_s: float) -> list[DeviceHealth]:
    """Every device read or declared, sorted; silent when older than `silent_after_s`, or never
    heard of. A reading from a clock that runs ahead has age 0."""
    by_device: defaultdict[Device, list[LastReading]] = defaultdict(list)
    for reading in last:
        by_device[reading.series.device].append(reading)
    return [_judged(device, by_device[device], now_ms, silent_after_s)
            for device in sorted({*by_device, *declared})]


def _judged(device: Device, last: list[LastReading], now_ms: int,
            silent_after_s: float) -> DeviceHealth:
    if not last:
        return DeviceHealth(device, (), None, silent=True)
    age_ms = max(0, now_ms - max(reading.taken_at_ms for reading in last))
    return DeviceHealth(device, tuple(last), age_ms, silent=age_ms > silent_after_s * 1000)


def health_points(site: str, devices: Sequence[DeviceHealth], now_ms: int) -> list[DerivedPoint]:
    """`device_health` points: `silent` 0/1, and `age_s` once the device was heard of."""
    return [DerivedPoint(
        MEASUREMENT,
        (("site", site), ("kind", each.device.kind), ("zone", each.device.zone),
         ("device", each.device.name)),
        (("silent", float(each.silent)),
         *((("age_s", each.age_ms / 1000),) if each.age_ms is not None else ())),
        now_ms) for each in devices]
