"""Zigbee2MQTT: plugs, and sensors of motion or presence.

Its cache puts every attribute it knows into every message, so that an old value looks fresh.
`last_seen` tells when the device itself spoke: a message in which it has not moved repeats what
was known. Where it is switched off (the default of Zigbee2MQTT), a value counts as new only when
it differs from the one before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from seatwatt.gateway.config import ZigbeeSource
from seatwatt.gateway.drivers.talk import (
    Clock,
    Garbage,
    Heard,
    Message,
    json_of,
    local_ms,
    mapping,
    number,
    put,
)

VALUES = {"power": ("power", 1.0), "energy": ("energy_import", 1000.0),
          "produced_energy": ("energy_export", 1000.0), "voltage": ("voltage_l1", 1.0),
          "current": ("current_l1", 1.0), "power_factor": ("power_factor", 1.0),
          "ac_frequency": ("frequency", 1.0)}
"""Attribute -> quantity and factor (energy is in kWh)."""

PRESENCE = ("occupancy", "presence", "presence_state", "motion")
_ABSENT = ("none", "false", "off", "0", "no", "clear", "absent", "unoccupied", "noone", "")


def present(value: object) -> bool | None:
    """Whether the value of a sensor says that somebody is there: true, 1, "presence", "move"."""
    if value is None or isinstance(value, list | dict):
        return None
    if isinstance(value, bool | int | float):
        return value != 0
    return str(value).strip().lower() not in _ABSENT


@dataclass(slots=True)
class Zigbee:
    """One device of Zigbee2MQTT."""

    source: ZigbeeSource
    zone: ZoneInfo
    _clock: Clock = field(default_factory=Clock)
    _last: dict[str, object] = field(default_factory=dict)
    _seen: object = None

    @property
    def topics(self) -> Sequence[str]:
        """Its state, its availability, and its attributes where they are published singly."""
        root = f"{self.source.base}/{self.source.name}"
        return (root, f"{root}/availability", *(f"{root}/{name}" for name in self._attributes))

    @property
    def _attributes(self) -> tuple[str, ...]:
        return (*VALUES, *((self.source.attribute,) if self.source.attribute else PRESENCE))

    def hear(self, message: Message) -> Heard | None:
        """What the message says."""
        last = message.topic.removeprefix(f"{self.source.base}/{self.source.name}").lstrip("/")
        heard = Heard(message.received_at_ms)
        if last == "availability":
            heard.alive = b"online" in message.payload.lower()
            return heard
        if last:
            return self._single(last, message, heard)
        try:
            body = mapping(json_of(message))
        except Garbage as error:
            heard.faults.append(str(error))
            return heard
        return self._state(body, message, heard)

    def _single(self, name: str, message: Message, heard: Heard) -> Heard | None:
        """`output: attribute`: a topic each, published when the state is; no time in it."""
        text = message.payload.decode(errors="replace")
        try:
            value = json_of(message)
        except Garbage:
            value = text
        return self._state({name: value}, message, heard)

    def _state(self, body: Mapping[str, object], message: Message, heard: Heard) -> Heard | None:
        seen = body.get("last_seen")
        at_ms = self._clock.at(self._claimed(seen, message), message, heard.faults)
        repeated = seen is not None and seen == self._seen
        self._seen = seen if seen is not None else self._seen
        if at_ms is None or repeated:
            self._last.update(body)
            return None
        heard.at_ms = at_ms
        for name, (quantity, factor) in VALUES.items():
            if name in body and (seen is not None or self._differs(name, body[name])):
                put(heard.values, quantity, body[name], factor)
        heard.present = self._presence(body)
        self._last.update(body)
        return heard if heard.values or heard.present is not None else None

    def _claimed(self, seen: object, message: Message) -> int | None:
        count = number(seen)
        if count is not None:
            return round(count) if 0 < count < 1e14 else None
        return local_ms(seen, self.zone, message.received_at_ms)

    def _differs(self, name: str, value: object) -> bool:
        return name not in self._last or self._last[name] != value

    def _presence(self, body: Mapping[str, object]) -> bool | None:
        names = (self.source.attribute,) if self.source.attribute else PRESENCE
        name = next((one for one in names if one in body), None)
        return None if name is None else present(body[name])
