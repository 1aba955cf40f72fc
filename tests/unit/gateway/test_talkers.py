"""What Tasmota, Shelly and Zigbee2MQTT say: made-up messages for each trap, then real ones."""

import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwatt.gateway.config import ShellySource, TalkingSource, TasmotaSource, ZigbeeSource
from seatwatt.gateway.drivers.talk import Heard, Message, Talker, plausible
from seatwatt.gateway.drivers.voices import talker
from seatwatt.gateway.drivers.zigbee import present
from tests.shared import shared

KARACHI = ZoneInfo("Asia/Karachi")
BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str, zone: ZoneInfo = KARACHI, fold: int = 0) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp() * 1000)


NOW = at("2026-10-05T12:00:02")


def hear(one: Talker, topic: str, body: object, now_ms: int = NOW, retained: bool = False
         ) -> Heard | None:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    heard = one.hear(Message(topic, payload, now_ms, retained))
    return heard and plausible(heard)


def sensor(energy: dict[str, Any], time: str = "2026-10-05T12:00:00", group: str = "ENERGY"
           ) -> dict[str, Any]:
    return {"Time": time, group: energy}


def tasmota(**more: Any) -> Talker:
    return talker(TasmotaSource(topic="desk", **more), KARACHI)


def said(one: Talker, topic: str, body: object, **more: Any) -> Heard:
    heard = hear(one, topic, body, **more)
    assert heard is not None
    return heard


SENSOR = "tele/desk/SENSOR"


def test_tasmotas_time_is_that_of_the_site() -> None:
    heard = said(tasmota(), SENSOR, sensor({"Total": 1.5, "Power": 60, "Voltage": 220}))
    assert heard.at_ms == at("2026-10-05T12:00:00") == NOW - 2000
    assert heard.values == {"energy_import": 1500.0, "power": 60.0, "voltage_l1": 220.0}
    assert heard.faults == []


@pytest.mark.parametrize("time", ["1970-01-01T00:10:13", "2026-10-05T07:00:00", "", "soon"])
def test_a_clock_that_is_wrong_gives_way_to_the_time_of_arrival(time: str) -> None:
    one = tasmota()
    heard = said(one, SENSOR, sensor({"Total": 1}, time))
    assert heard.at_ms == NOW
    assert len(heard.faults) == (len(time) > 5)
    assert said(one, SENSOR, sensor({"Total": 1}, time)).faults == []


def test_a_retained_message_counts_at_its_own_time_or_not_at_all() -> None:
    old = sensor({"Total": 1}, "2026-10-05T09:00:00")
    assert said(tasmota(), SENSOR, old, retained=True).at_ms == at("2026-10-05T09:00:00")
    unset = sensor({"Total": 1}, "1970-01-01T00:10:13")
    assert hear(tasmota(), SENSOR, unset, retained=True) is None


@pytest.mark.parametrize("fold", [0, 1])
def test_the_hour_that_comes_twice_is_the_one_near_arrival(fold: int) -> None:
    one = talker(TasmotaSource(topic="desk"), BERLIN)
    taken = at("2026-10-25T02:30:00", BERLIN, fold)
    heard = said(one, SENSOR, sensor({"Total": 1}, "2026-10-25T02:30:00"), now_ms=taken + 900)
    assert heard.at_ms == taken


def test_phases_come_as_lists_and_the_total_as_one() -> None:
    heard = said(tasmota(), SENSOR, sensor(
        {"Total": 436.786, "ExportActive": [0, 0.001, 0.302], "Power": [298, 7, 0],
         "Factor": [0.9, 0.77, 0.61], "Frequency": 50, "Voltage": [234, 235, 235],
         "Current": [1.415, 0.039, 0.035]}))
    assert heard.values == {
        "energy_import": 436_786.0, "energy_export": 303.0, "power": 305.0, "frequency": 50.0,
        "voltage_l1": 234.0, "voltage_l2": 235.0, "voltage_l3": 235.0, "current_l1": 1.415,
        "current_l2": 0.039, "current_l3": 0.035}


def test_one_channel_of_two_has_no_energy_when_the_total_is_of_both() -> None:
    one = tasmota(channel=1)
    energy = {"Total": 0.077, "Power": [8.15, 2], "Voltage": 237, "Current": [0.1, 0.02]}
    heard = said(one, SENSOR, sensor(energy))
    assert heard.values == {"power": 2.0, "voltage_l1": 237.0, "current_l1": 0.02}
    assert "no energy for one" in heard.faults[0]
    own = said(one, SENSOR, sensor(energy | {"Total": [0.05, 0.027]}))
    assert own.values["energy_import"] == 27.0
    assert own.faults[1:] == []


def test_a_total_by_phase_is_added_up() -> None:
    heard = said(tasmota(), SENSOR, sensor({"Total": {"Phase1": 1.2, "Phase2": 0.3}, "Power": 5}))
    assert heard.values["energy_import"] == 1500.0


def test_a_meter_behind_an_eye_that_reads_sml() -> None:
    one = tasmota(group="SML")
    heard = said(one, "stat/desk/STATUS10", {"StatusSNS": sensor(
        {"Total_in": 2687.3687, "Total_out": 582.4569, "Power_curr": -36, "voltage_l1": 235.3,
         "current_l1": 0.98}, group="SML")})
    assert heard.values == {"energy_import": 2_687_368.7, "energy_export": 582_456.9,
                            "power": -36.0, "voltage_l1": 235.3, "current_l1": 0.98}


def test_a_register_that_begins_anew_is_told() -> None:
    one = tasmota()
    began = {"Total": 94.493, "TotalStartTime": "2018-11-02T16:55:59", "Power": 1}
    assert said(one, SENSOR, sensor(began)).faults == []
    preset = said(one, SENSOR, sensor(began | {"Total": 1066,
                                               "TotalStartTime": "2026-10-05T11:59:00"}))
    assert "declare an exchange" in preset.faults[0]
    fell = said(one, SENSOR, sensor({"Total": 0.4, "TotalStartTime": "2026-10-05T11:59:00"}))
    assert fell.faults == ["its register fell from 1066 to 0.4 kWh"]
    command = said(one, "stat/desk/RESULT", {"EnergyTotal": {"Total": 0.0, "Today": 0.0}})
    assert "set by EnergyTotal: Total is 0.0 kWh" in command.faults[0]
    assert hear(one, "stat/desk/RESULT", {"POWER": "ON"}) is None


def test_a_switch_may_tell_presence_and_a_last_will_silence() -> None:
    one = tasmota(switch="Switch1")
    body = {"Time": "2026-10-05T12:00:00", "Switch1": "ON"}
    assert said(one, SENSOR, body).present is True
    assert said(one, SENSOR, body | {"Switch1": "OFF"}).present is False
    assert said(one, "tele/desk/LWT", b"Offline").alive is False
    assert said(one, "tele/desk/LWT", b"Online").alive is True


def test_a_full_topic_may_begin_with_a_place() -> None:
    one = tasmota(full_topic="home/%prefix%/%topic%/")
    assert "home/tele/desk/SENSOR" in one.topics


def shelly(component: str = "switch:0", topic: str = "plug") -> Talker:
    return talker(ShellySource(topic=topic, component=component), KARACHI)


def test_gen1_relays_count_watt_minutes() -> None:
    one = shelly("relay:0", "shellies/p")
    assert said(one, "shellies/p/relay/0/energy", 6_472_513).values == {
        "energy_import": pytest.approx(107_875.21666666666)}
    assert said(one, "shellies/p/relay/0/power", 47.1).values == {"power": 47.1}
    assert hear(one, "shellies/p/relay/0/energy", 1, retained=True) is None
    assert "not a number" in said(one, "shellies/p/relay/0/power", b'"on"').faults[0]
    assert said(one, "shellies/p/online", b"false").alive is False


def test_gen1_energy_meters_count_watt_hours() -> None:
    one = shelly("emeter:1", "shellies/em")
    assert said(one, "shellies/em/emeter/1/total", 401_472.9).values == {
        "energy_import": 401_472.9}
    info = {"unixtime": NOW // 1000, "emeters": [
        {"power": 1, "is_valid": True, "total": 5},
        {"power": -620.34, "pf": -0.66, "voltage": 235.68, "is_valid": True, "total": 401_472.9,
         "total_returned": 653_673.7}]}
    heard = said(one, "shellies/em/info", info)
    assert heard.values == {"power": -620.34, "power_factor": -0.66, "voltage_l1": 235.68,
                            "energy_import": 401_472.9, "energy_export": 653_673.7}
    info["emeters"][1]["is_valid"] = False  # type: ignore[index]
    assert said(one, "shellies/em/info", info).values == {}


def notify(method: str = "NotifyStatus", **parts: Any) -> dict[str, Any]:
    return {"src": "plug", "method": method, "params": {"ts": NOW / 1000 - 1} | {
        name.replace("_", ":"): part for name, part in parts.items()}}


def test_gen2_deltas_give_what_changed_and_no_more() -> None:
    one = shelly()
    full = said(one, "plug/events/rpc", notify("NotifyFullStatus", switch_0={
        "apower": 399.2, "voltage": 240.8, "current": 1.886, "aenergy": {"total": 2574466.629}}))
    assert full.values == {"power": 399.2, "voltage_l1": 240.8, "current_l1": 1.886,
                           "energy_import": 2_574_466.629}
    assert full.at_ms == NOW - 1000
    delta = said(one, "plug/events/rpc", notify(switch_0={"apower": 3.5}))
    assert delta.values == {"power": 3.5}
    assert hear(one, "plug/events/rpc", notify(mqtt={"connected": True})) is None
    assert hear(one, "plug/events/rpc", notify("NotifyEvent", switch_0={"apower": 1})) is None
    assert said(one, "plug/status/switch:0", {"apower": 1.0}).at_ms == NOW
    assert hear(one, "plug/status/switch:0", {"apower": 1.0}, retained=True) is None


def test_what_flowed_back_is_taken_out_of_aenergy_also_in_a_delta() -> None:
    one = shelly()
    both = said(one, "plug/events/rpc", notify(switch_0={
        "aenergy": {"total": 10_000}, "ret_aenergy": {"total": 4000}}))
    assert both.values == {"energy_import": 6000.0, "energy_export": 4000.0}
    assert said(one, "plug/events/rpc", notify(switch_0={"aenergy": {"total": 10_010}})
                ).values == {"energy_import": 6010.0}


def test_three_phases_have_their_registers_beside_them() -> None:
    one = shelly("em:0")
    heard = said(one, "plug/events/rpc", notify(
        em_0={"id": 0, "a_voltage": 229.0, "c_current": 0.428, "n_current": None,
              "total_act_power": 558.965}, emdata_0={"total_act": 2_589_773.39}))
    assert heard.values == {"voltage_l1": 229.0, "current_l3": 0.428, "power": 558.965,
                            "energy_import": 2_589_773.39}
    single = shelly("em1:1")
    assert said(single, "plug/status/em1data:1", {"id": "1", "total_act_energy": 1264.15}
                ).values == {"energy_import": 1264.15}


def test_an_input_may_tell_presence() -> None:
    one = shelly("input:0")
    assert said(one, "plug/status/input:0", {"id": 0, "state": True}).present is True
    assert hear(one, "plug/status/input:0", {"id": 0, "state": None}) is None
    assert said(one, "plug/input/0", b"0").present is False


def zigbee(name: str = "plug", **more: Any) -> Talker:
    return talker(ZigbeeSource(name=name, **more), KARACHI)


PLUG = "zigbee2mqtt/plug"


def test_with_last_seen_a_repeated_message_is_not_fresh() -> None:
    one = zigbee()
    body = {"power": 12.3, "energy": 4.21, "voltage": 231, "last_seen": "2026-10-05T12:00:00+05:00"}
    heard = said(one, PLUG, body)
    assert heard.at_ms == at("2026-10-05T12:00:00")
    assert heard.values == {"power": 12.3, "energy_import": 4210.0, "voltage_l1": 231.0}
    assert hear(one, PLUG, body | {"linkquality": 3}) is None
    later = said(one, PLUG, body | {"last_seen": NOW + 60_000}, now_ms=NOW + 60_100)
    assert (later.at_ms, later.values["energy_import"]) == (NOW + 60_000, 4210.0)


def test_without_last_seen_only_what_changed_is_fresh() -> None:
    one = zigbee()
    said(one, PLUG, {"power": 12.3, "energy": 4.21})
    assert hear(one, PLUG, {"power": 12.3, "energy": 4.21, "linkquality": 9}) is None
    assert said(one, PLUG, {"power": 0, "energy": 4.21}).values == {"power": 0.0}
    assert hear(one, PLUG, {"power": 7}, retained=True) is None


def test_attributes_may_come_singly_and_a_device_may_be_unavailable() -> None:
    one = zigbee("room/pir", base="z")
    assert "z/room/pir/occupancy" in one.topics
    assert said(one, "z/room/pir/occupancy", b"true").present is True
    assert said(one, "z/room/pir/power", b"5.5").values == {"power": 5.5}
    assert said(one, "z/room/pir/availability", {"state": "offline"}).alive is False
    assert said(one, "z/room/pir/availability", b"online").alive is True


@pytest.mark.parametrize(("value", "there"), [
    (True, True), (False, False), (1, True), (0, False), ("presence", True), ("none", False),
    ("move", True), ("stationary", True), ("OFF", False), (None, None), ([], None)])
def test_what_presence_looks_like(value: object, there: bool | None) -> None:
    assert present(value) is there


def test_millivolts_of_a_battery_are_no_mains() -> None:
    heard = said(zigbee(), PLUG, {"occupancy": True, "voltage": 2995})
    assert heard.values == {}
    assert heard.faults == ["voltage_l1: 2995 V is not believed"]
    assert heard.present is True


SOURCES: list[TalkingSource] = [
    TasmotaSource(topic="desk", switch="Switch1"), TasmotaSource(topic="desk", group="SML"),
    ShellySource(topic="desk"), ShellySource(topic="desk", component="em:0"),
    ShellySource(topic="desk", component="relay:0"),
    ShellySource(topic="desk", component="input:0"),
    ShellySource(topic="desk", component="emeter:0"), ZigbeeSource(name="desk", base="z")]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(
        ["Time", "ENERGY", "SML", "Total", "Total_in", "Power", "Voltage", "StatusSNS", "Factor",
         "params", "method", "ts", "switch:0", "aenergy", "ret_aenergy", "total", "meters",
         "emeters", "unixtime", "power", "energy", "last_seen", "occupancy", "Switch1", "apower",
         "EnergyReset"]), inner, max_size=6), max_leaves=20)


@given(st.sampled_from(SOURCES), st.data())
def test_no_message_is_an_exception(source: TalkingSource, data: st.DataObject) -> None:
    one = talker(source, KARACHI)
    for _ in range(3):
        topic = data.draw(st.sampled_from(list(one.topics)))
        body = data.draw(st.binary(max_size=20) | JSON.map(lambda v: json.dumps(v).encode()))
        heard = hear(one, topic, body)
        assert heard is None or all(isinstance(v, float) for v in heard.values.values())


REAL = [
    ({"energy_import": 52.0, "power": 0.0, "power_factor": 0.0, "voltage_l1": 198.0,
      "current_l1": 0.0}, {0, 2, 3, 4}),
    ({"energy_import": 1_066_000.0, "power": 0.0, "apparent_power": 0.0, "power_factor": 0.0,
      "voltage_l1": 227.7, "current_l1": 0.0}, {6}),
    ({"energy_import": 94_493.0, "power": 76.0, "apparent_power": 102.0, "power_factor": 0.75,
      "voltage_l1": 233.0, "current_l1": 0.436}, {8}),
    ({"energy_import": 0.0, "power": 75.0, "apparent_power": 122.0, "power_factor": 0.61,
      "voltage_l1": 235.0, "current_l1": 0.521}, {13}),
    ({"energy_import": 436_786.0, "energy_export": 303.0, "power": 305.0,
      "apparent_power": 349.0, "frequency": 50.0, "voltage_l1": 234.0, "voltage_l2": 235.0,
      "voltage_l3": 235.0, "current_l1": 1.415, "current_l2": 0.039, "current_l3": 0.035}, {16}),
    ({"energy_import": 25.0, "power": 0.0, "power_factor": 0.0, "voltage_l1": 223.0,
      "current_l1": 0.0}, {17}),
    ({"energy_import": 8420.0, "power": 3.0, "voltage_l1": 241.0, "current_l1": 0.1}, {18}),
    ({"energy_import": 9430.0, "power": 2.0, "voltage_l1": 241.0, "current_l1": 0.06}, {19}),
    ({"power": 0.0, "voltage_l1": 229.1, "current_l1": 0.0, "energy_import": 30_473.355}, {30}),
    ({"energy_import": 123.585}, {32}),
    ({"power": 0.0, "voltage_l1": 230.8, "frequency": 50.0, "current_l1": 0.0,
      "power_factor": 0.0, "energy_import": 123.585}, {33}),
    ({"power": 3.8, "voltage_l1": 231.0, "frequency": 50.1, "current_l1": 0.03,
      "energy_import": 26_064.252}, {34}),
]
"""Values, and the numbers of the recorded messages that hold them."""
SIGNS = {20: False, 21: True, 22: True, 23: True, 24: True, 25: True, 26: False, 27: True,
         28: False, 29: False}
SILENT = {1, 5, 12, 31}
"""States of a relay and of a connection: nothing about power or presence."""


def source_of(topic: str) -> TalkingSource:
    """The device that a recorded topic belongs to."""
    levels = topic.split("/")
    if levels[0].startswith("zigbee2mqtt"):
        return ZigbeeSource(base=levels[0], name="/".join(levels[1:]))
    if "shelly" in levels[0]:
        return ShellySource(topic=levels[0])
    kind = "tele" if "tele" in levels else "stat"
    before = "".join(f"{level}/" for level in levels[:levels.index(kind)])
    return TasmotaSource(topic=levels[-2], full_topic=f"{before}%prefix%/%topic%/")


def real_messages() -> list[dict[str, Any]]:
    text = shared("data/mqtt-payloads/threads.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_all_real_messages_of_the_threads() -> None:
    wanted = {number: values for values, which in REAL for number in which}
    talkers: dict[TalkingSource, Talker] = {}
    messages = real_messages()
    assert len(messages) == 35
    silent, signs, faulty = set(), {}, set()
    for number, message in enumerate(messages):
        one = talkers.setdefault(source := source_of(message["topic"]), talker(source, KARACHI))
        assert message["topic"] in one.topics or message["topic"].endswith("/STATE")
        heard = hear(one, message["topic"], message["payload"].encode(),
                     now_ms=arrival(message["payload"]))
        if heard is None:
            silent.add(number)
            continue
        assert {k: round(v, 6) for k, v in heard.values.items()} == wanted.get(number, {}), number
        faulty |= {number} if heard.faults else set()
        if heard.present is not None:
            signs[number] = heard.present
    assert signs == SIGNS
    assert silent == SILENT
    # Registers set by command, one that fell unseen by its start, an unset clock, millivolts.
    assert faulty == {7, 9, 10, 11, 13, 14, 15, 17, 26}


def arrival(payload: str) -> int:
    """When the message came: a second after what it says, or now for what says nothing."""
    body = json.loads(payload)
    if "Time" in body and not body["Time"].startswith("1970"):
        return at(body["Time"]) + 1000
    if "last_seen" in body:
        return round(datetime.fromisoformat(body["last_seen"]).timestamp() * 1000) + 1000
    ts = body.get("params", {}).get("ts")
    return round(ts * 1000) + 500 if ts else NOW


def test_a_brokers_recording_is_heard_without_an_exception() -> None:
    rows = json.loads(shared("data/mqtt-payloads/broker-recording.json").read_text())
    flat: list[dict[str, Any]] = []
    while rows:
        one = rows.pop()
        if isinstance(one, list):
            rows += one
        else:
            flat.append(one)
    pir = zigbee("x", base="y", attribute="motion-bool")
    signs = []
    for row in flat:
        if row["topic"] == "motion-readings":
            heard = hear(pir, "y/x", row["payload"])
            assert heard is not None
            signs.append(heard.present)
        else:
            plug = TasmotaSource(topic="sonoff-plug-1", full_topic="sonoff/%prefix%/%topic%/")
            heard = hear(talker(plug, KARACHI), "sonoff/tele/sonoff-plug-1/SENSOR", row["payload"])
            assert heard is None or heard.values == {}
    assert len(flat) == 120
    assert len(signs) == 48
    assert {True, False} == set(signs)


SHELLIES = {
    "gen1_Shelly_Plug_S": ("relay:0", {"power": 0.0, "energy_import": pytest.approx(43.8666667)}),
    "gen2_Shelly_Plus_1PM": ("switch:0", {"power": 0.0, "voltage_l1": 232.8, "current_l1": 0.0,
                                          "energy_import": 110.046}),
    "gen2_Shelly_Plus_Plug_IT": ("switch:0", {"power": 0.8, "voltage_l1": 222.6,
                                              "current_l1": 0.0, "energy_import": 922.282}),
    "gen2_Shelly_Plus_Plug_S": ("switch:0", {"power": 2.7, "voltage_l1": 227.9,
                                             "current_l1": 0.121, "energy_import": 7258.589}),
    "gen2_Shelly_Pro_3EM": ("em:0", {
        "power": 558.965, "apparent_power": 882.413, "frequency": 50.0, "voltage_l1": 229.0,
        "voltage_l2": 229.0, "voltage_l3": 229.2, "current_l1": 2.392, "current_l2": 1.037,
        "current_l3": 0.428, "energy_import": 2_589_773.39, "energy_export": 1026.61}),
    "gen2_Shelly_Pro_4PM": ("switch:3", {"power": 0.0, "voltage_l1": 121.8, "current_l1": 0.0,
                                         "power_factor": 0.0, "frequency": 60.0,
                                         "energy_import": 0.0}),
    "shelly2pmg3__Shelly.GetStatus": ("cover:0", {
        "power": 0.0, "voltage_l1": 219.2, "current_l1": 0.0, "power_factor": 0.0,
        "frequency": 50.0, "energy_import": 314.614}),
    "shellymini1gen4__Shelly.GetStatus": ("switch:0", None),
    "shellyblugatewaygen3__Shelly.GetStatus": ("switch:0", None),
    "gen1_Shelly_Gas": ("relay:0", None),
    "shelly2pmg3__Cover.GetStatus": ("cover:0", {
        "power": 123.1, "voltage_l1": 219.7, "current_l1": 0.557, "power_factor": 0.99,
        "frequency": 50.0, "energy_import": 314.801}),
    "shellymini1gen4__Shelly.GetDeviceInfo": ("switch:0", None),
    "shellyblugatewaygen3__Shelly.GetDeviceInfo": ("switch:0", None),
}


@pytest.mark.parametrize("name", SHELLIES)
def test_the_real_status_of_each_shelly(name: str) -> None:
    (path,) = shared("data/shelly-status").rglob(f"{name}*.json")
    document = json.loads(path.read_text())
    status = document.get("status", document)
    component, values = SHELLIES[name]
    one = shelly(component)
    if name.startswith("gen1"):
        heard = hear(one, "plug/info", status, now_ms=status["unixtime"] * 1000)
    elif name.endswith("Cover.GetStatus"):
        heard = hear(one, "plug/status/cover:0", status)
    else:
        ts = status.get("sys", {}).get("unixtime", NOW // 1000)
        heard = hear(one, "plug/events/rpc", {"method": "NotifyFullStatus",
                                              "params": {"ts": ts} | status}, now_ms=ts * 1000)
    assert (heard and heard.values) == values
    assert heard is None or heard.faults == []
