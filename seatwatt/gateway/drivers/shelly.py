"""Shelly devices: Gen1 (a value a topic, watt-minutes) and Gen2 and later (status as JSON).

A Gen2 notification holds only what changed, and only that is taken: an old value never looks
fresh.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from seatwatt.gateway.config import ShellySource
from seatwatt.gateway.drivers.talk import (
    Clock,
    Garbage,
    Heard,
    Message,
    epoch_ms,
    json_of,
    mapping,
    number,
    object_of,
    put,
)

WATT_MINUTE_WH = 1 / 60
GEN1 = ("relay", "emeter")
DATA = {"em": "emdata", "em1": "em1data"}
"""Gen2 meters keep their registers in a component of their own."""

_GEN1_VALUES = {
    "relay": {"power": ("power", 1.0), "energy": ("energy_import", WATT_MINUTE_WH)},
    "emeter": {"power": ("power", 1.0), "voltage": ("voltage_l1", 1.0),
               "current": ("current_l1", 1.0), "pf": ("power_factor", 1.0),
               "total": ("energy_import", 1.0), "total_returned": ("energy_export", 1.0)}}
"""Component -> last level of the topic -> quantity and factor. An emeter's `energy` is what was
used since the last message, in watt-minutes: no register, so not taken."""

_GEN2_VALUES = {
    "apower": ("power", 1.0), "act_power": ("power", 1.0), "total_act_power": ("power", 1.0),
    "aprt_power": ("apparent_power", 1.0), "total_aprt_power": ("apparent_power", 1.0),
    "voltage": ("voltage_l1", 1.0), "current": ("current_l1", 1.0), "pf": ("power_factor", 1.0),
    "freq": ("frequency", 1.0), "a_freq": ("frequency", 1.0),
    "a_voltage": ("voltage_l1", 1.0), "b_voltage": ("voltage_l2", 1.0),
    "c_voltage": ("voltage_l3", 1.0), "a_current": ("current_l1", 1.0),
    "b_current": ("current_l2", 1.0), "c_current": ("current_l3", 1.0),
    "total_act": ("energy_import", 1.0), "total_act_ret": ("energy_export", 1.0),
    "total_act_energy": ("energy_import", 1.0), "total_act_ret_energy": ("energy_export", 1.0)}


@dataclass(slots=True)
class Shelly:
    """One component of a Shelly device."""

    source: ShellySource
    _clock: Clock = field(default_factory=Clock)
    _returned_wh: float | None = None
    """The last `ret_aenergy`: what flowed back is contained in `aenergy` too."""

    @property
    def _type(self) -> str:
        return self.source.component.partition(":")[0]

    @property
    def _index(self) -> int:
        return int(self.source.component.partition(":")[2])

    @property
    def topics(self) -> Sequence[str]:
        """Values and the last will; of Gen1 also the whole status (`info`)."""
        root, name = self.source.topic, self.source.component
        if self._type in GEN1:
            values = (f"{self._type}/{self._index}/{last}" for last in _GEN1_VALUES[self._type])
            return (f"{root}/online", f"{root}/info", *(f"{root}/{value}" for value in values))
        more = [f"{root}/status/{self._data}"] if self._data else []
        if self._type == "input":
            more.append(f"{root}/input/{self._index}")
        return (f"{root}/online", f"{root}/events/rpc", f"{root}/status/{name}", *more)

    @property
    def _data(self) -> str:
        return f"{DATA[self._type]}:{self._index}" if self._type in DATA else ""

    def hear(self, message: Message) -> Heard | None:
        """What the message says."""
        heard = Heard(message.received_at_ms)
        last = message.topic.removeprefix(f"{self.source.topic}/")
        if last == "online":
            heard.alive = message.payload.strip().lower() == b"true"
            return heard
        if last == f"input/{self._index}":
            heard.present = message.payload.strip() not in (b"0", b"")
            return heard
        try:
            if self._type in GEN1:
                return self._gen1(last, message, heard)
            return self._gen2(last, message, heard)
        except Garbage as error:
            heard.faults.append(str(error))
            return heard

    def _gen1(self, last: str, message: Message, heard: Heard) -> Heard | None:
        if last == "info":
            return self._status1(object_of(message), message, heard)
        name, factor = _GEN1_VALUES[self._type][last.rpartition("/")[2]]
        value = number(json_of(message))
        if value is None:
            raise Garbage(f"{message.topic}: {message.payload[:40]!r} is not a number")
        if message.retained:
            return None
        put(heard.values, name, value, factor)
        return heard

    def _status1(self, body: Mapping[str, object], message: Message, heard: Heard) -> Heard | None:
        """`meters` count watt-minutes, `emeters` watt-hours. A meter's own `timestamp` is local
        time dressed up as Unix time, so the status's `unixtime` is used."""
        at_ms = self._clock.at(epoch_ms(body.get("unixtime")), message, heard.faults)
        rows = body.get("meters" if self._type == "relay" else "emeters")
        if at_ms is None or not isinstance(rows, list) or self._index >= len(rows):
            return None
        row = mapping(rows[self._index])
        if row.get("is_valid") is False:
            heard.faults.append("its meter says that its values are not valid")
            return heard
        heard.at_ms = at_ms
        for key, (name, factor) in _GEN1_VALUES[self._type].items():
            put(heard.values, name, row.get(key), factor)
        if self._type == "relay":
            put(heard.values, "energy_import", row.get("total"), WATT_MINUTE_WH)
        return heard

    def _gen2(self, last: str, message: Message, heard: Heard) -> Heard | None:
        body = object_of(message)
        if last == "events/rpc":
            if body.get("method") not in ("NotifyStatus", "NotifyFullStatus"):
                return None
            body = dict(mapping(body.get("params")))
            parts = [mapping(body.get(name)) for name in (self.source.component, self._data)]
        else:
            parts = [body]
        at_ms = self._clock.at(epoch_ms(body.get("ts")) if last == "events/rpc" else None,
                               message, heard.faults)
        if at_ms is None:
            return None
        heard.at_ms = at_ms
        for part in parts:
            self._component(part, heard)
        return heard if heard.values or heard.present is not None else None

    def _component(self, part: Mapping[str, object], heard: Heard) -> None:
        if self._type == "input":
            state = part.get("state")
            heard.present = state if isinstance(state, bool) else heard.present
            return
        for key, (name, factor) in _GEN2_VALUES.items():
            put(heard.values, name, part.get(key), factor)
        returned = number(mapping(part.get("ret_aenergy")).get("total"))
        if returned is not None:
            self._returned_wh = returned
            put(heard.values, "energy_export", returned)
        total = number(mapping(part.get("aenergy")).get("total"))
        if total is not None:
            put(heard.values, "energy_import", total - (self._returned_wh or 0.0))
