"""What devices that speak MQTT themselves have in common. Pure: a message in, values out.

Values have a meter's names and canonical units; whoever listens gives them to a device.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

DRIFT_MAX_MS = 120_000
"""A device's clock further from ours than this is not used: it publishes at once."""

PAYLOAD_MAX = 65_536
VOLTS_MAX = 600.0


@dataclass(frozen=True, slots=True)
class Message:
    """One MQTT message as it came."""

    topic: str
    payload: bytes
    received_at_ms: int
    retained: bool = False


@dataclass(slots=True)
class Heard:
    """What a message says: values at a time, whether somebody is present, and complaints."""

    at_ms: int
    values: dict[str, float] = field(default_factory=dict)
    present: bool | None = None
    alive: bool = True
    """False: the device said good-bye (its last will)."""
    faults: list[str] = field(default_factory=list)


class Talker(Protocol):
    """One device's way to speak, and what must be remembered of it."""

    @property
    def topics(self) -> Sequence[str]:
        """The topics it publishes to, without wildcards."""

    def hear(self, message: Message) -> Heard | None:
        """What the message says; None when it says nothing of interest. Never raises."""


class Garbage(Exception):
    """A payload that is not what its topic promises; its text says what it is."""


def json_of(message: Message) -> object:
    """The JSON of the payload. Raises Garbage."""
    if len(message.payload) > PAYLOAD_MAX:
        raise Garbage(f"{message.topic}: {len(message.payload)} bytes are too many")
    try:
        return json.loads(message.payload)
    except (ValueError, RecursionError):
        raise Garbage(f"{message.topic}: {message.payload[:40]!r} is not JSON") from None


def object_of(message: Message) -> dict[str, object]:
    """The JSON object of the payload. Raises Garbage."""
    found = json_of(message)
    if not isinstance(found, dict):
        raise Garbage(f"{message.topic}: {message.payload[:40]!r} is not a JSON object")
    return found


def mapping(value: object) -> Mapping[str, object]:
    """The value where it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def number(value: object) -> float | None:
    """A finite number; None for null, texts, truth values and what is too large."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        as_float = float(value)
    except OverflowError:
        return None
    return as_float if math.isfinite(as_float) else None


def numbers(value: object) -> list[float]:
    """A number, a list of numbers, or an object of numbers (one a phase), in order."""
    items = value if isinstance(value, list) else (
        list(value.values()) if isinstance(value, dict) else [value])
    return [found for item in items if (found := number(item)) is not None]


def put(values: dict[str, float], name: str, value: object, factor: float = 1.0) -> None:
    """Keep a value where it is a number."""
    found = number(value)
    if found is not None:
        values[name] = float(f"{found * factor:.15g}")


@dataclass(slots=True)
class Clock:
    """The clock of one device, believed where it agrees with ours.

    Without a battery or the network's time it starts at 1970; a zone set wrongly puts it off by
    hours. Then the time of arrival is taken, and the fault told once.
    """

    _told: bool = False

    def at(self, claimed_ms: int | None, heard: Message, faults: list[str]) -> int | None:
        """When the message's values were taken; None when that cannot be known: a retained
        message may be of any age, so its own time must be right."""
        received = heard.received_at_ms
        if claimed_ms is None:
            return None if heard.retained else received
        if abs(claimed_ms - received) <= DRIFT_MAX_MS:
            self._told = False
            return claimed_ms
        if heard.retained:
            return claimed_ms if 946_684_800_000 <= claimed_ms <= received else None
        if not self._told:
            self._told = True
            faults.append(f"its clock is {(claimed_ms - received) / 1000:+.0f} s off; "
                          "the time of arrival is used")
        return received


def local_ms(text: object, zone: ZoneInfo, near_ms: int) -> int | None:
    """Milliseconds since 1970 of an ISO time; without a zone it is the site's, and of the two
    meanings it has when clocks go back the one nearer to `near_ms`."""
    if not isinstance(text, str):
        return None
    try:
        when = datetime.fromisoformat(text)
        if when.tzinfo is not None:
            return _ms(when)
        both = [_ms(when.replace(tzinfo=zone, fold=fold)) for fold in (0, 1)]
    except (ValueError, OverflowError):
        return None
    return min(both, key=lambda one: abs(one - near_ms))


def _ms(when: datetime) -> int:
    delta = when - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1000 + delta.microseconds // 1000


def epoch_ms(value: object) -> int | None:
    """Milliseconds since 1970 of a Unix time in seconds (Shelly's `ts`, `unixtime`)."""
    seconds = number(value)
    return None if seconds is None or not 0 < seconds < 1e11 else round(seconds * 1000)


def plausible(heard: Heard) -> Heard:
    """Drop voltages that no mains has: sensors on a battery give theirs in millivolts."""
    for name in [name for name, value in heard.values.items()
                 if name.startswith("voltage_l") and not 0 <= value <= VOLTS_MAX]:
        heard.faults.append(f"{name}: {heard.values.pop(name):g} V is not believed")
    return heard
