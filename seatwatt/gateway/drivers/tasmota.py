"""Tasmota devices: `tele/<topic>/SENSOR`, every TelePeriod, and what answers to a question.

`Time` is the device's local time without a zone. `Total` counts kWh and is kept over a restart;
who sets it anew changes `TotalStartTime` (or not, when it is set to 0), which is told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from seatwatt.gateway.config import TasmotaSource
from seatwatt.gateway.drivers.talk import (
    Clock,
    Garbage,
    Heard,
    Message,
    local_ms,
    mapping,
    number,
    numbers,
    object_of,
    put,
)

_RESETS = ("EnergyReset", "EnergyTotal", "EnergyToday", "EnergyYesterday")


@dataclass(slots=True)
class Tasmota:
    """One Tasmota device, or one channel of it."""

    source: TasmotaSource
    zone: ZoneInfo
    _clock: Clock = field(default_factory=Clock)
    _started: str = ""
    _total_kwh: float | None = None
    _complained: bool = False

    @property
    def topics(self) -> Sequence[str]:
        """Sensor reports, answers, and the last will."""
        return tuple(self._topic(prefix) + name for prefix, name in (
            ("tele", "SENSOR"), ("stat", "STATUS10"), ("stat", "STATUS8"), ("stat", "RESULT"),
            ("tele", "LWT")))

    def _topic(self, prefix: str) -> str:
        full = self.source.full_topic.replace("%prefix%", prefix)
        return full.replace("%topic%", self.source.topic).rstrip("/") + "/"

    def hear(self, message: Message) -> Heard | None:
        """What the message says."""
        name = message.topic.rsplit("/", 1)[-1]
        heard = Heard(message.received_at_ms)
        if name == "LWT":
            heard.alive = message.payload.strip().lower() == b"online"
            return heard
        try:
            body = object_of(message)
        except Garbage as error:
            heard.faults.append(str(error))
            return heard
        if name == "RESULT":
            return self._told_to_count(body, heard)
        return self._report(mapping(body.get("StatusSNS", body)), message, heard)

    def _told_to_count(self, body: Mapping[str, object], heard: Heard) -> Heard | None:
        """Somebody set the register by command; other results are not ours."""
        command = next((name for name in _RESETS if name in body), None)
        if command is None:
            return None
        total = mapping(body[command]).get("Total")
        heard.faults.append(f"its register was set by {command}: Total is {total} kWh now; "
                            "declare an exchange")
        return heard

    def _report(self, body: Mapping[str, object], message: Message, heard: Heard) -> Heard | None:
        at_ms = self._clock.at(local_ms(body.get("Time"), self.zone, message.received_at_ms),
                               message, heard.faults)
        if at_ms is None:
            return None
        heard.at_ms = at_ms
        energy = mapping(body.get(self.source.group))
        if "Total_in" in energy:
            self._sml(energy, heard.values)
        elif energy:
            self._energy(energy, heard)
        switch = body.get(self.source.switch) if self.source.switch else None
        if switch is not None:
            heard.present = str(switch).upper() in ("ON", "1", "TRUE")
        return heard if heard.values or heard.faults or switch is not None else None

    def _energy(self, energy: Mapping[str, object], heard: Heard) -> None:
        values, powers = heard.values, energy.get("Power")
        several = isinstance(powers, list)
        self._sum(values, "power", powers)
        self._sum(values, "apparent_power", energy.get("ApparentPower"))
        self._sum(values, "energy_export", energy.get("ExportActive"), 1000)
        for quantity, key in (("voltage", "Voltage"), ("current", "Current")):
            self._phases(values, quantity, energy.get(key))
        if self.source.channel is not None or not several:
            factor = self._chosen(energy.get("Factor"))
            put(values, "power_factor", factor[0] if len(factor) == 1 else None)
        put(values, "frequency", next(iter(numbers(energy.get("Frequency"))), None))
        total = energy.get("Total")
        if self.source.channel is not None and several and number(total) is not None:
            if not self._complained:
                heard.faults.append("its Total is the sum of all channels: no energy for one")
            self._complained = True
        else:
            self._sum(values, "energy_import", total, 1000)
        self._watch(energy, heard)

    def _chosen(self, value: object) -> list[float]:
        """The channel's number, or all; a scalar stands for every channel."""
        found = numbers(value)
        channel = self.source.channel
        if channel is None or not isinstance(value, list | dict):
            return found
        return found[channel:channel + 1]

    def _sum(self, values: dict[str, float], name: str, value: object, factor: float = 1.0
             ) -> None:
        chosen = self._chosen(value)
        if chosen:
            put(values, name, sum(chosen), factor)

    def _phases(self, values: dict[str, float], name: str, value: object) -> None:
        for index, one in enumerate(self._chosen(value)[:3], 1):
            values[f"{name}_l{index}"] = one

    def _watch(self, energy: Mapping[str, object], heard: Heard) -> None:
        """Tell when the register begins anew: an exchange for whoever settles."""
        started = str(energy.get("TotalStartTime") or "")
        total = sum(numbers(energy.get("Total")))
        if self._started and started and started != self._started:
            heard.faults.append(f"its register began anew: TotalStartTime {started}, was "
                                f"{self._started}; declare an exchange")
        elif self._total_kwh is not None and total < self._total_kwh:
            heard.faults.append(f"its register fell from {self._total_kwh:g} to {total:g} kWh")
        self._started, self._total_kwh = started or self._started, total

    def _sml(self, energy: Mapping[str, object], values: dict[str, float]) -> None:
        put(values, "energy_import", energy.get("Total_in"), 1000)
        put(values, "energy_export", energy.get("Total_out"), 1000)
        put(values, "power", energy.get("Power_curr"))
        for phase in (1, 2, 3):
            for quantity in ("voltage", "current"):
                put(values, f"{quantity}_l{phase}", energy.get(f"{quantity}_l{phase}"))
