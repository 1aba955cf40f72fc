"""From messages to samples: names by kind, pace, presence, silence."""

import json
from zoneinfo import ZoneInfo

from seatwatt.contract.devices import Device
from seatwatt.contract.quantities import quantity
from seatwatt.gateway.config import (
    DeviceConfig,
    PresenceRule,
    ShellySource,
    TasmotaSource,
    ZigbeeSource,
)
from seatwatt.gateway.drivers.talk import Message
from seatwatt.gateway.drivers.voices import Outcome, Voices
from seatwatt.gateway.ports import Sample

T0 = 1_790_000_100_000
SEAT = Device("seat", "hall-a", "001")
ROOM = Device("room", "conf-1", "presence")
BOARD = Device("meter", "hall-a", "board")


def voices(*devices: DeviceConfig) -> Voices:
    return Voices(devices, ZoneInfo("Asia/Karachi"))


def say(to: Voices, topic: str, body: object, at_ms: int = T0) -> dict[str, float | str]:
    out = to.hear(Message(topic, json.dumps(body).encode(), at_ms))
    return {f"{s.device}/{s.quantity.name}": s.value for s in out.samples}


def test_a_seat_and_a_meter_name_the_same_values_differently() -> None:
    to = voices(DeviceConfig(device=SEAT, source=ShellySource(topic="p")),
                DeviceConfig(device=BOARD, source=TasmotaSource(topic="b")))
    body = {"apower": 50, "voltage": 230, "current": 0.2, "pf": 1, "aenergy": {"total": 7}}
    assert say(to, "p/status/switch:0", body) == {
        "seat/hall-a/001/power": 50.0, "seat/hall-a/001/voltage": 230.0,
        "seat/hall-a/001/current": 0.2, "seat/hall-a/001/energy": 7.0}
    assert say(to, "tele/b/SENSOR", {"ENERGY": {"Total": 1, "Power": 5}}) == {
        "meter/hall-a/board/energy_import": 1000.0, "meter/hall-a/board/power": 5.0}
    assert say(to, "nobody/SENSOR", {}) == {}
    assert to.devices == (SEAT, BOARD)


def test_of_a_burst_the_last_value_stays() -> None:
    to = voices(DeviceConfig(device=SEAT, source=ShellySource(topic="p"), gauges_s=10))
    powers = [say(to, "p/status/switch:0", {"apower": watts}, T0 + watts * 1000)
              for watts in range(5)]
    assert powers == [{"seat/hall-a/001/power": 0.0}, {}, {}, {}, {}]
    assert to.tick(T0 + 9_999).samples == []
    (late,) = to.tick(T0 + 10_000).samples
    assert (late.value, late.taken_at_ms) == (4.0, T0 + 4000)
    assert to.tick(T0 + 60_000).samples == []


def test_registers_have_a_pace_of_their_own() -> None:
    to = voices(DeviceConfig(device=SEAT, source=ShellySource(topic="p"), gauges_s=10,
                             registers_s=60))
    given = [say(to, "p/status/switch:0", {"apower": at_s, "aenergy": {"total": at_s}},
                 T0 + at_s * 1000) for at_s in range(40, 161, 5)]
    powers, energies = ([one[f"seat/hall-a/001/{name}"] for one in given
                         if f"seat/hall-a/001/{name}" in one] for name in ("power", "energy"))
    assert powers == list(range(40, 161, 10))
    assert energies == [40.0, 60.0, 120.0]  # on the minute
    assert not any(sample.quantity.name == "energy" for sample in to.tick(T0 + 179_999).samples)
    assert [(sample.value, sample.taken_at_ms) for sample in to.tick(T0 + 180_000).samples
            if sample.quantity.name == "energy"] == [(160.0, T0 + 160_000)]


def test_what_lies_out_of_bounds_is_a_fault() -> None:
    to = voices(DeviceConfig(device=BOARD, source=TasmotaSource(topic="b")))
    out = to.hear(Message("tele/b/SENSOR", b'{"ENERGY": {"Total": -3, "Power": 1}}', T0))
    assert [s.quantity.name for s in out.samples] == ["power"]
    assert [f.detail for f in out.faults] == ["energy_import: -3000 is not believed"]


def test_two_sensors_make_one_presence_of_a_room() -> None:
    rule = PresenceRule(sensors=(ZigbeeSource(name="a"), ZigbeeSource(name="b")), hold_s=60)
    to = voices(DeviceConfig(device=ROOM, presence=rule))
    assert say(to, "zigbee2mqtt/a", {"occupancy": False})["room/conf-1/presence/occupied"] == 0.0
    assert say(to, "zigbee2mqtt/b", {"presence": True}, T0 + 1000) == {
        "room/conf-1/presence/occupied": 1.0}
    out = to.hear(Message("zigbee2mqtt/b/availability", b"offline", T0 + 2000))
    assert [f.detail for f in out.faults] == ["presence sensor 2 went offline"]
    (gone,) = to.tick(T0 + 62_500).samples
    assert (gone.value, gone.taken_at_ms) == (0.0, T0 + 62_000)


def test_power_of_any_driver_tells_presence_where_declared() -> None:
    rule = PresenceRule(power_above_w=30)
    to = voices(DeviceConfig(device=SEAT, source=ShellySource(topic="p"), presence=rule))
    assert say(to, "p/status/switch:0", {"apower": 80})["seat/hall-a/001/occupied"] == 1.0
    out = Outcome()
    to.observe([Sample(SEAT, quantity("seat", "power"), T0 + 400_000, 2.0)], T0 + 400_000, out)
    assert next(s.value for s in out.samples) == 0.0


def test_a_device_that_stops_is_told_once_and_again_after_it_spoke() -> None:
    to = voices(DeviceConfig(device=SEAT, source=ShellySource(topic="p")))
    for _ in range(2):
        say(to, "p/status/switch:0", {"apower": 80})
        faults = [f.detail for minute in range(40) for f in to.tick(T0 + minute * 60_000).faults]
        assert faults == ["nothing heard of it for 900 s on p/online"]
    out = to.hear(Message("p/online", b"false", T0))
    assert [f.detail for f in out.faults] == ["it went offline"]
