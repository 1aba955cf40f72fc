"""What the tests of spool and publishing share."""

import json
from pathlib import Path

from seatwatt.contract.devices import Device
from seatwatt.contract.quantities import quantity
from seatwatt.gateway.packs import Draft, Packer
from seatwatt.gateway.ports import Sample
from seatwatt.gateway.spool import Limits, Spool

GATEWAY = Device("gateway", "hall-a", "gw")
NOW_MS = 1_790_000_000_000
ROOMY = Limits(64 << 20, 86_400_000)


def energy(number: int, taken_at_ms: int | None = None) -> Sample:
    """A register's reading; its value is its number."""
    at_ms = NOW_MS + number * 1000 if taken_at_ms is None else taken_at_ms
    return Sample(Device("seat", "hall-a", f"{number % 350:03d}"), quantity("seat", "energy"),
                  at_ms, float(number))


def power(number: int) -> Sample:
    """A gauge's reading."""
    return Sample(Device("seat", "hall-a", f"{number % 350:03d}"), quantity("seat", "power"),
                  NOW_MS + number * 1000, number / 7)


def occupied(number: int) -> Sample:
    """A state's reading."""
    return Sample(Device("seat", "hall-a", f"{number % 350:03d}"), quantity("seat", "occupied"),
                  NOW_MS + number * 1000, 1.0)


def drafts(*samples: Sample) -> list[Draft]:
    """As the gateway of `hall` packs them."""
    return Packer("hall").drafts(samples)


def spool(folder: Path, limits: Limits = ROOMY) -> Spool:
    """The spool of the folder."""
    return Spool(folder / "spool.db", GATEWAY, limits)


def values(payload: bytes) -> list[float]:
    """The numbers in a pack, in order."""
    return [record["v"] for record in json.loads(payload) if "v" in record]
