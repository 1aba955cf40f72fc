"""MQTT topics: `seatwatt/v1/{site}/{kind}/{zone}/{device}`."""

from dataclasses import dataclass
from typing import Self

from seatwatt.contract.devices import KINDS, check_identifier, is_identifier
from seatwatt.contract.errors import InputError

ROOT = "seatwatt"
"""Below it is ours, whatever the version: what is not understood there is refused, not ignored."""
PREFIX = f"{ROOT}/v1"
BROKER_DROPPED = "$SYS/broker/publish/messages/dropped"
"""Where mosquitto tells how many messages it dropped; retained, each `sys_interval` in which it
changed."""
CHANNELS = ("pack", "status", "receipt")
"""What stands in a topic's kind besides device kinds; the device is then the gateway."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic below `seatwatt/v1`; `kind` is a device kind or one of CHANNELS."""

    site: str
    kind: str
    zone: str
    device: str

    def __post_init__(self) -> None:
        check_identifier("topic site", self.site)
        if self.kind not in KINDS and self.kind not in CHANNELS:
            raise InputError("topic kind", f"{self.kind!r} is unknown", ", ".join(KINDS + CHANNELS))
        check_identifier("topic zone", self.zone)
        check_identifier("topic device", self.device)

    def __str__(self) -> str:
        return f"{PREFIX}/{self.site}/{self.kind}/{self.zone}/{self.device}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises InputError unless `text` is `seatwatt/v1/{site}/{kind}/{zone}/{device}`."""
        parts = text.split("/")
        if len(parts) != 6 or parts[0] != ROOT or parts[1] != "v1":
            raise InputError("topic", f"{text!r} is unknown", f"{PREFIX}/site/kind/zone/device")
        return cls(*parts[2:])

    @property
    def carries_readings(self) -> bool:
        """Device topics and packs do; `status` and `receipt` are the gateways' own business."""
        return self.kind in KINDS or self.kind == "pack"


def ingest_filters(site: str = "+") -> tuple[str, ...]:
    """The subscriptions that carry readings, one a kind, so that receipts never come back."""
    if site != "+" and not is_identifier(site):
        raise InputError("site", f"{site!r} is not an identifier")
    return tuple(f"{PREFIX}/{site}/{kind}/+/+" for kind in (*KINDS, "pack"))
