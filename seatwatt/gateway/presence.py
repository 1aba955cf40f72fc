"""Whether somebody is at a seat or in a room, from what its sensors and its plug say. Pure.

A motion sensor sees movement, not people: somebody who reads sits still. So a person is believed
to be there for a while (`hold_s`) after the last sign. A sensor that says "present" without ever
speaking again is not believed for ever either, and plug power stands in for sensors that are dead.
"""

from dataclasses import dataclass, field

from seatwatt.gateway.config import PresenceRule

REPEAT_MS = 300_000
"""`occupied` is published on change, and every so often."""

SENSOR_SILENT_MS = 4 * 3_600_000
"""A sensor that says nothing for so long is dead; the slowest send a sign of life every hour."""

POWER_STALE_MS = 900_000
"""A power older than that says nothing about now."""


@dataclass(slots=True)
class _Sensor:
    heard_at_ms: int | None = None
    present: bool = False
    sign_at_ms: int | None = None
    """When it last knew of somebody."""

    def lives(self, now_ms: int) -> bool:
        return self.heard_at_ms is not None and now_ms - self.heard_at_ms < SENSOR_SILENT_MS

    def last_sign(self, now_ms: int) -> int | None:
        """A sensor that still says "present" gives its sign now, while it lives."""
        return now_ms if self.present and self.lives(now_ms) else self.sign_at_ms


@dataclass(slots=True)
class Presence:
    """One seat or room. Times rise, but for sensors whose clocks differ a little."""

    rule: PresenceRule
    _sensors: list[_Sensor] = field(init=False)
    _power: _Sensor = field(default_factory=_Sensor)
    _published: bool | None = None
    _published_at_ms: int = -1

    def __post_init__(self) -> None:
        self._sensors = [_Sensor() for _ in self.rule.sensors]

    def hear(self, sensor: int, at_ms: int, present: bool | None) -> None:
        """Sensor number `sensor` spoke; `present` None: it says no more than that it lives."""
        one = self._sensors[sensor]
        one.heard_at_ms = max(one.heard_at_ms or at_ms, at_ms)
        if present is None:
            return
        if present or one.present:
            one.sign_at_ms = max(one.sign_at_ms or at_ms, at_ms)
        one.present = present

    def lose(self, sensor: int, at_ms: int) -> None:
        """The sensor is gone: what it said last counts no further."""
        one = self._sensors[sensor]
        if one.present:
            one.sign_at_ms = max(one.sign_at_ms or at_ms, at_ms)
        one.present, one.heard_at_ms = False, None

    def power(self, at_ms: int, power_w: float) -> None:
        """The seat's plug draws so much."""
        if self.rule.power_above_w is None:
            return
        one = self._power
        one.heard_at_ms = max(one.heard_at_ms or at_ms, at_ms)
        if power_w > self.rule.power_above_w:
            one.sign_at_ms = max(one.sign_at_ms or at_ms, at_ms)

    def occupied(self, now_ms: int) -> bool | None:
        """Whether somebody is there; None when nothing can be known."""
        last = self._last_sign(now_ms)
        if last is not None and now_ms < last + self.rule.hold_s * 1000 + (last == now_ms):
            return True
        known = any(one.lives(now_ms) for one in self._sensors) or self._power_speaks(now_ms)
        return False if known else None

    def _power_speaks(self, now_ms: int) -> bool:
        """Power is asked where no sensor lives."""
        at_ms = self._power.heard_at_ms
        return (at_ms is not None and now_ms - at_ms < POWER_STALE_MS
                and not any(one.lives(now_ms) for one in self._sensors))

    def _last_sign(self, now_ms: int) -> int | None:
        signs = [sign for one in self._sensors if (sign := one.last_sign(now_ms)) is not None]
        if self._power_speaks(now_ms) and self._power.sign_at_ms is not None:
            signs.append(self._power.sign_at_ms)
        return max(signs, default=None)

    def publish(self, now_ms: int) -> list[tuple[int, bool]]:
        """What is to be published by now: (when, occupied); times rise from call to call."""
        state = self.occupied(now_ms)
        if state is None:
            return []
        out = []
        if state != self._published:
            out.append((self._changed_at(state, now_ms), state))
        repeat_ms = now_ms - now_ms % REPEAT_MS
        if repeat_ms > (out[-1][0] if out else self._published_at_ms):
            out.append((repeat_ms, state))
        if out:
            self._published_at_ms, self._published = out[-1][0], state
        return out

    def _changed_at(self, state: bool, now_ms: int) -> int:
        """A change to empty happened when the hold ran out, one to occupied at its sign."""
        last = self._last_sign(now_ms)
        at_ms = now_ms if last is None or self._published is None else (
            last if state else last + self.rule.hold_s * 1000)
        return max(min(at_ms, now_ms), self._published_at_ms + 1)
