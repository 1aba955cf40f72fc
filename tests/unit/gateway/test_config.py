"""The gateway's configuration: what it gives, and one line for each thing that is wrong."""

from pathlib import Path

import pytest

from seatwatt.contract.devices import Device
from seatwatt.contract.errors import InputError
from seatwatt.gateway.config import (
    ModbusSource,
    NutSource,
    ShellySource,
    SnmpSource,
    TasmotaSource,
    UplinkSource,
    ZigbeeSource,
)
from seatwatt.gateway.config_file import load_gateway

HEAD = """\
gateway: gw-1
site: two-tenants
zone: plant
time_zone: Asia/Karachi
"""
WHOLE = HEAD + """\
listen: {host: 10.0.0.2, user: gw, password_file: secret}
devices:
  - {device: meter/hall-a/board, driver: modbus, model: sdm630, host: 10.0.0.9, unit: 3,
     framing: rtu-over-tcp}
  - {device: ups/plant/main, driver: nut, host: nut.local, ups: main, user: m, password: p}
  - {device: ups/plant/two, driver: snmp, host: 10.0.0.8, user: monitor, auth: sha256,
     auth_password_file: secret, privacy: aes, privacy_password: otherwise}
  - {device: uplink/plant/fibre, driver: uplink, targets: ["1.1.1.1:443", "[2606::1]:53"]}
  - {device: seat/hall-a/001, driver: tasmota, topic: desk-1, gauges_s: 30,
     presence: {sensors: [{driver: zigbee2mqtt, name: pir/1, attribute: occupancy}], hold_s: 600}}
  - {device: seat/hall-a/002, driver: shelly, topic: plug-2, presence: {power_above_w: 25}}
  - {device: room/conf-1/presence, presence: {sensors: [{driver: shelly, topic: p, component:
     "input:0"}]}}
"""
BOARD = "devices:\n  - {device: meter/hall-a/board, driver: modbus, model: sdm630, host: h}\n"


def test_a_whole_configuration(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from the file\n")
    path = tmp_path / "gw.yaml"
    path.write_text(WHOLE)
    config = load_gateway(path)
    assert config.problems == ()
    assert str(config.own) == "gateway/plant/gw-1"
    assert config.listen is not None
    assert config.listen.password == "from the file"
    assert "from the file" not in repr(config)
    board, ups, two, fibre, tasmota, shelly, room = config.devices
    assert isinstance(board.source, ModbusSource)
    assert (board.source.model.model, board.source.port, board.source.unit) == ("sdm630", 502, 3)
    assert isinstance(ups.source, NutSource)
    assert (ups.source.port, ups.source.tls, ups.source.password) == (3493, False, "p")
    assert isinstance(two.source, SnmpSource)
    assert (two.source.auth_password, two.source.privacy) == ("from the file", "aes")
    assert fibre.source == UplinkSource(targets=(("1.1.1.1", 443), ("2606::1", 53)))
    assert fibre.gauges_s == 60
    assert tasmota.source == TasmotaSource(topic="desk-1")
    assert (tasmota.gauges_s, tasmota.registers_s) == (30, 60)
    assert tasmota.presence is not None
    assert tasmota.presence.sensors == (ZigbeeSource(name="pir/1", attribute="occupancy"),)
    assert shelly.source == ShellySource(topic="plug-2")
    assert room.source is None


@pytest.mark.parametrize(("change", "says"), [
    (("sdm630", "sdm631"), "gw.yaml:6: model: 'sdm631' is unknown; expected em340"),
    (("modbus", "modbuss"), "driver: 'modbuss' is unknown; expected modbus, nut"),
    (("model: sdm630", "model: ./no.yaml"), "no.yaml: cannot be read"),
    (("host: h", "hots: h"), "hots: is unknown"),
    ((", host: h", ""), "host: is missing"),
    (("host: h", "host: h, unit: 300"), "unit: 300 is out of range; expected 0 to 255"),
    (("host: h", "host: h, framing: rtu"), "framing: 'rtu' is unknown; expected tcp, rtu-over-tcp"),
    (("host: h", "host: h, gauges_s: 7"), "registers_s: 60 is no multiple of gauges_s (7)"),
    (("host: h", "host: h, timeout_s: 0"), "timeout_s: 0.0 is out of range"),
    (("driver: modbus, model: sdm630, host: h", "driver: nut, host: h, ups: u"),
     "driver: nut gives no meter; expected ups"),
    (("host: h", "host: h, presence: {power_above_w: 5}"), "presence: a meter is never occupied"),
    (("driver: modbus, model: sdm630, host: h", "driver: tasmota, topic: a/#"),
     "topic: 'a/#' is no topic"),
    (("driver: modbus, model: sdm630, host: h", "driver: tasmota, topic: a, full_topic: x"),
     "full_topic: 'x' lacks its parts"),
    (("driver: modbus, model: sdm630, host: h", "driver: shelly, topic: a, component: lamp:0"),
     "component: 'lamp:0' is unknown"),
    (("driver: modbus, model: sdm630, host: h", "gauges_s: 5"), "driver: is missing"),
])
def test_a_wrong_device_is_one_line_and_the_rest_runs(
        tmp_path: Path, change: tuple[str, str], says: str) -> None:
    path = tmp_path / "gw.yaml"
    path.write_text(HEAD + BOARD.replace(*change)
                    + "  - {device: seat/hall-a/001, driver: shelly, topic: plug-1}\n")
    config = load_gateway(path)
    assert [str(one.device) for one in config.devices] == ["seat/hall-a/001"]
    ((device, line),) = config.problems
    assert device == Device("meter", "hall-a", "board")
    assert says in line
    assert "\n" not in line


@pytest.mark.parametrize(("entry", "says"), [
    ("community: public, user: x", "unclear how to enter"),
    ("gauges_s: 10", "unclear how to enter"),
    ("user: x, auth: sha", "auth_password: is missing or short"),
    ("user: x, privacy: aes, privacy_password: otherwise", "auth: is missing"),
    ("user: x, auth: sha3, auth_password: otherwise", "auth: 'sha3' is unknown"),
    ("user: x, auth: sha, auth_password_file: gone", "gone cannot be read: No such file"),
])
def test_how_an_snmp_agent_may_be_entered(tmp_path: Path, entry: str, says: str) -> None:
    path = tmp_path / "gw.yaml"
    path.write_text(HEAD + f"devices:\n  - {{device: ups/p/u, driver: snmp, host: h, {entry}}}\n")
    assert says in load_gateway(path).problems[0][1]


def test_two_devices_of_one_name_are_both_refused(tmp_path: Path) -> None:
    path = tmp_path / "gw.yaml"
    path.write_text(HEAD + BOARD + BOARD.splitlines()[1] + "\n")
    config = load_gateway(path)
    assert config.devices == ()
    assert [line for _, line in config.problems] == [
        f"{path}:6: is declared 2 times; expected each device once"]


def test_a_map_with_overlapping_fields_names_map_and_device(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(
        "model: own\nfields:\n  - {quantity: power, address: 4, type: float32}\n"
        "  - {quantity: frequency, address: 5, type: float32}\n")
    path = tmp_path / "gw.yaml"
    path.write_text(HEAD + BOARD.replace("sdm630", "./own.yaml"))
    ((device, line),) = load_gateway(path).problems
    assert str(device) == "meter/hall-a/board"
    assert line.startswith(f"{path}:6: {tmp_path}/own.yaml:2: fields: power at 0x0004 and")


@pytest.mark.parametrize(("text", "says"), [
    ("", "devices: there is none"),
    (HEAD, "devices: there is none"),
    ((HEAD + BOARD).replace("Asia/Karachi", "Mars"), "gw.yaml:4: time_zone: 'Mars' is not"),
    ((HEAD + BOARD).replace("gw-1", "GW 1"), "gw.yaml:1: gateway: 'GW 1' is not an identifier"),
    ((HEAD + BOARD).replace("meter/hall-a/board", "board"), "devices[0].device"),
    (HEAD + "devices: 5\n", "devices: 5 is not a list"),
    (HEAD + "devices: [\n", "not YAML"),
    (HEAD + "color: red\n" + BOARD, "gw.yaml:5: color: is unknown"),
])
def test_what_is_wrong_with_the_whole_stops_the_start(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "gw.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        load_gateway(path)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(InputError, match=r"gone\.yaml: cannot be read"):
        load_gateway(Path("gone.yaml"))


@pytest.mark.parametrize(("files", "says"), [
    ("ca_file: none.pem", "gw.yaml:5: listen: ca_file: cannot use {folder}/none.pem: No such file"),
    ("ca_file: gw.yaml", "listen: ca_file: cannot use {folder}/gw.yaml: it is no certificate"),
    ("cert_file: c.pem", "listen: cert_file and key_file: one is missing; expected both"),
    ("cert_file: c.pem, key_file: c.key", "listen: cert_file: given without ca_file"),
])
def test_files_of_the_broker_we_listen_to_are_tried_at_the_start(
        tmp_path: Path, files: str, says: str) -> None:
    path = tmp_path / "gw.yaml"
    path.write_text(HEAD + f"listen: {{host: h, {files}}}\n" + BOARD)
    with pytest.raises(InputError) as caught:
        load_gateway(path)
    assert says.format(folder=tmp_path) in str(caught.value)
