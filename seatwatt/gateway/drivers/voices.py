"""Who speaks on which topic, and for which device: messages in, samples and faults out. No I/O."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from seatwatt.contract.devices import Device
from seatwatt.contract.quantities import QUANTITIES, quantity
from seatwatt.gateway.config import (
    DeviceConfig,
    ShellySource,
    TalkingSource,
    TasmotaSource,
    ZigbeeSource,
)
from seatwatt.gateway.drivers.shelly import Shelly
from seatwatt.gateway.drivers.talk import Heard, Message, Talker, plausible
from seatwatt.gateway.drivers.tasmota import Tasmota
from seatwatt.gateway.drivers.zigbee import Zigbee
from seatwatt.gateway.ports import Fault, Sample
from seatwatt.gateway.presence import Presence
from seatwatt.gateway.registers import SEAT_NAMES
from seatwatt.gateway.thinning import Thinner

SILENT_AFTER_MS = 900_000
"""A metering device that says nothing for so long is reported; Tasmota's pace is 300 s."""


def talker(source: TalkingSource, zone: ZoneInfo) -> Talker:
    """What understands this device."""
    if isinstance(source, TasmotaSource):
        return Tasmota(source, zone)
    if isinstance(source, ShellySource):
        return Shelly(source)
    return Zigbee(source, zone)


@dataclass(slots=True)
class Voice:
    """One talker's part: the device it measures, or the sensor it is of a presence."""

    device: Device
    talker: Talker
    thinner: Thinner | None = None
    sensor: int | None = None
    heard_at_ms: int | None = None
    gone: bool = False
    told_silent: bool = False


@dataclass(slots=True)
class Outcome:
    """What came of messages or of time passing."""

    samples: list[Sample] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


class Voices:
    """All devices that speak by themselves, and every seat whose presence is told by some."""

    def __init__(self, devices: Iterable[DeviceConfig], zone: ZoneInfo) -> None:
        self._voices: list[Voice] = []
        self._presences: dict[Device, Presence] = {}
        for one in devices:
            if isinstance(one.source, TasmotaSource | ShellySource | ZigbeeSource):
                self._voices.append(Voice(one.device, talker(one.source, zone),
                                          Thinner(one.gauges_s, one.registers_s)))
            if one.presence is not None:
                self._presences[one.device] = Presence(one.presence)
                self._voices += [Voice(one.device, talker(source, zone), sensor=index)
                                 for index, source in enumerate(one.presence.sensors)]
        self._by_topic: dict[str, list[Voice]] = {}
        for voice in self._voices:
            for topic in voice.talker.topics:
                self._by_topic.setdefault(topic, []).append(voice)

    @property
    def devices(self) -> Sequence[Device]:
        """Everything that is reported about."""
        return tuple(dict.fromkeys([voice.device for voice in self._voices]
                                   + list(self._presences)))

    @property
    def topics(self) -> Sequence[str]:
        """What to subscribe to."""
        return tuple(self._by_topic)

    def hear(self, message: Message) -> Outcome:
        """A message arrived."""
        out = Outcome()
        for voice in self._by_topic.get(message.topic, ()):
            heard = voice.talker.hear(message)
            if heard is not None:
                self._tell(voice, heard, message.received_at_ms, out)
        return out

    def _tell(self, voice: Voice, heard: Heard, now_ms: int, out: Outcome) -> None:
        if voice.sensor is None:
            heard = plausible(heard)
        out.faults += [Fault(voice.device, now_ms, detail) for detail in heard.faults]
        self._mark(voice, heard, now_ms, out)
        if voice.sensor is not None:
            presence = self._presences[voice.device]
            if not heard.alive:
                presence.lose(voice.sensor, now_ms)
            else:
                presence.hear(voice.sensor, min(heard.at_ms, now_ms), heard.present)
            out.samples += self._occupied(voice.device, presence, now_ms)
        elif voice.thinner is not None:
            samples = [one for name, value in heard.values.items()
                       if (one := _sample(voice.device, name, value, heard, out)) is not None]
            self.observe(samples, now_ms, out)
            out.samples += voice.thinner.take(samples, now_ms)

    def _mark(self, voice: Voice, heard: Heard, now_ms: int, out: Outcome) -> None:
        if voice.gone and heard.alive:
            voice.gone = False
        elif not heard.alive and not voice.gone:
            voice.gone = True
            out.faults.append(Fault(voice.device, now_ms, "it went offline"
                                    if voice.sensor is None else
                                    f"presence sensor {voice.sensor + 1} went offline"))
        if heard.values or heard.present is not None:
            voice.heard_at_ms, voice.told_silent = now_ms, False

    def observe(self, samples: Sequence[Sample], now_ms: int, out: Outcome) -> None:
        """Samples of any driver: a seat's power may tell presence."""
        for sample in samples:
            presence = self._presences.get(sample.device)
            if presence is not None and sample.quantity.name == "power":
                presence.power(min(sample.taken_at_ms, now_ms), float(sample.value))
                out.samples += self._occupied(sample.device, presence, now_ms)

    def tick(self, now_ms: int) -> Outcome:
        """Time passed: holds run out, values held back pass, silence is told."""
        out = Outcome()
        for device, presence in self._presences.items():
            out.samples += self._occupied(device, presence, now_ms)
        for voice in self._voices:
            if voice.thinner is not None:
                out.samples += voice.thinner.due(now_ms)
                self._silence(voice, now_ms, out)
        return out

    def _silence(self, voice: Voice, now_ms: int, out: Outcome) -> None:
        if voice.heard_at_ms is None:
            voice.heard_at_ms = now_ms
        silent_ms = now_ms - voice.heard_at_ms
        if silent_ms >= SILENT_AFTER_MS and not voice.told_silent:
            voice.told_silent = True
            out.faults.append(Fault(voice.device, now_ms, f"nothing heard of it for "
                                    f"{silent_ms // 1000} s on {voice.talker.topics[0]}"))

    def _occupied(self, device: Device, presence: Presence, now_ms: int) -> list[Sample]:
        row = quantity(device.kind, "occupied")
        return [Sample(device, row, at_ms, float(state))
                for at_ms, state in presence.publish(now_ms)]


def _sample(device: Device, name: str, value: float, heard: Heard, out: Outcome) -> Sample | None:
    row = QUANTITIES.get((device.kind, SEAT_NAMES.get(name, "")
                          if device.kind == "seat" else name))
    if row is None:
        return None
    if not row.low <= value <= row.high:
        out.faults.append(Fault(device, heard.at_ms, f"{row.name}: {value:g} is not believed"))
        return None
    return Sample(device, row, heard.at_ms, value)
