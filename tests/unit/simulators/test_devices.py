"""Simulated devices: register images, payloads, the answers of the SNMP agent, the plan."""

import json
import struct
from datetime import date
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from seatwatt.simulators.devices import nut, snmp, talkers
from seatwatt.simulators.devices.meters import MODELS
from seatwatt.simulators.devices.plan import gateway_config, planned
from seatwatt.simulators.devices.snmp_answers import answer, load
from seatwatt.simulators.devices.truth import MeterNow, Truth, UpsNow
from seatwatt.simulators.world import World
from seatwatt.store.sitefiles import load_site, read_yaml
from tests.shared import ROOT

NOON = 1_791_270_000_000
NOW = MeterNow(import_wh=1_234_567.0, power_w=-1500.0, voltage_v=230.1)


def at(model: str, address: int, code: str) -> float:
    low, words = MODELS[model].image(NOW)
    raw = struct.pack(f">{len(words)}H", *words)
    return float(struct.unpack_from(code, raw, (address - low) * 2)[0])


def test_register_images_hold_the_bytes_of_the_manuals() -> None:
    assert at("iem3155", 0x0C83, ">q") == 1_234_567
    assert at("sdm630", 0x0048, ">f") == pytest.approx(1234.567)
    assert at("sdm120", 0x000C, ">f") == -1500.0
    low, words = MODELS["em340"].image(NOW)
    assert [f"{word:04X}" for word in words[:2]] == ["08FD", "0000"]
    assert [f"{word:04X}" for word in words[0x28:0x2A]] == ["C568", "FFFF"]
    assert low == 0


def test_plugs_speak_like_their_firmware() -> None:
    zone = ZoneInfo("Asia/Karachi")
    topic, payload = talkers.tasmota("desk", NOW, NOON + 700, zone)
    assert topic == "tele/desk/SENSOR"
    assert json.loads(payload)["Time"] == "2026-10-06T12:00:00"
    assert json.loads(payload)["ENERGY"]["Total"] == 1234.567
    _, payload = talkers.shelly("plug", NOW, NOON + 700)
    assert json.loads(payload)["params"]["ts"] == NOON / 1000 + 0.7
    _, payload = talkers.zigbee_plug("plug", NOW, NOON)
    assert json.loads(payload)["energy"] == 1234.56
    assert json.loads(talkers.zigbee_motion("pir", True, NOON)[1])["occupancy"] is True


ON_BATTERY = UpsNow(status="OB DISCHRG", charge_pct=15.0, load_pct=42.0, power_w=1200.0,
                    runtime_s=300, input_v=0.0)


def test_the_agent_walks_in_the_order_of_oids(tmp_path: Path) -> None:
    path = tmp_path / "objects.json"
    path.write_text(json.dumps(snmp.objects(ON_BATTERY) | {f"{snmp.BASE}.2.10.0": ("integer", 1)}))
    answers = load(path)
    assert answer(answers, "get", f"{snmp.BASE}.2.4.0") == [f"{snmp.BASE}.2.4.0", "integer", "15"]
    assert answer(answers, "get", f"{snmp.BASE}.9.9.0") == ["NONE"]
    assert answer(answers, "getnext", f"{snmp.BASE}.2.9")[0] == f"{snmp.BASE}.2.10.0"
    walked, oid = [], snmp.BASE
    while (row := answer(answers, "getnext", oid)) != ["NONE"]:
        walked.append(oid := row[0])
    assert len(walked) == len(answers)


def test_a_ups_on_battery_says_so_in_both_protocols() -> None:
    assert nut.variables(ON_BATTERY)["ups.status"] == "OB DISCHRG LB"
    assert snmp.objects(ON_BATTERY)[f"{snmp.BASE}.6.2.1.2.1"] == (
        "objectid", f"{snmp.BASE}.6.3.2")


@pytest.mark.parametrize("example", ["workaround", "e-rozgar"])
def test_every_meter_seat_room_and_ups_of_a_site_gets_a_device(example: str, tmp_path: Path
                                                               ) -> None:
    site = load_site(ROOT / "examples" / f"{example}.yaml")
    truth = Truth(World(site, 1, date(2026, 10, 6)), lambda: NOON)
    ports = count(20_000)
    parts = planned(truth, lambda: next(ports))
    metered = [part.device for part in parts if part.resolution_wh]
    assert sorted(metered) == sorted(truth.meters)
    motions = [part for part in parts if part.driver == "motion"]
    assert len(motions) == len(truth.world.layout.seats) + len(truth.world.layout.rooms)
    path = tmp_path / "gateway.yaml"
    path.write_text(gateway_config(site, "plant", parts, ("broker", 1883), {
        "nut_user": "u", "nut_password": "p", "community": "c"}))
    document, _ = read_yaml(path)
    assert isinstance(document, dict)
    named = [entry["device"] for entry in document["devices"]]
    assert len(named) == len(set(named)) == len({str(part.device) for part in parts}) + 1


def test_power_is_what_the_last_minute_took() -> None:
    site = load_site(ROOT / "examples" / "e-rozgar.yaml")
    truth = Truth(World(site, 1, date(2026, 10, 6)), lambda: NOON)
    for device in truth.meters:
        now, before = truth.meter(device), truth.at(NOON - 60_000).meter(device)
        gained = now.import_wh - before.import_wh - (now.export_wh - before.export_wh)
        assert now.power_w == pytest.approx(gained * 60, abs=125)
