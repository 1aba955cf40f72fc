"""Reading one device of a gateway's configuration: one reader a driver, the names in DRIVERS."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from seatwatt.contract._fields import (
    Fields,
    as_flag,
    as_list,
    as_number,
    as_text,
    as_whole,
    built,
    shown,
)
from seatwatt.contract.devices import Device
from seatwatt.contract.errors import InputError
from seatwatt.gateway.config import (
    DeviceConfig,
    ModbusSource,
    NutSource,
    PresenceRule,
    ShellySource,
    SnmpSource,
    Source,
    TalkingSource,
    TasmotaSource,
    UplinkSource,
    ZigbeeSource,
)
from seatwatt.gateway.registers_file import load_map

_COMMON = ("device", "driver", "gauges_s", "registers_s", "timeout_s", "presence")
_PRESENCE = ("sensors", "hold_s", "power_above_w")
_PACE = {"uplink": (60, 60), "nut": (10, 10), "snmp": (10, 10)}
"""Seconds between gauges and between registers, where they are not 10 and 60."""

_AUTH = ("none", "md5", "sha", "sha224", "sha256", "sha384", "sha512")
_PRIVACY = ("none", "des", "aes", "aes192", "aes256")


def device_config(where: str, item: object, device: Device, beside: Path) -> DeviceConfig:
    """The device that `item` declares; files it names lie relative to the folder `beside`."""
    keys = tuple(item) if isinstance(item, dict) else ()
    driver = Fields(where, item, keys).maybe("driver", as_text)
    if driver is not None and driver not in DRIVERS:
        raise InputError(f"{where}.driver", f"{driver!r} is unknown", ", ".join(DRIVERS))
    kinds, known, read = DRIVERS[driver] if driver else ((), (), None)
    fields = Fields(where, item, (*_COMMON, *known))
    if kinds and device.kind not in kinds:
        raise InputError(fields.at("driver"), f"{driver} gives no {device.kind}", ", ".join(kinds))
    gauges_s, registers_s = _PACE.get(driver or "", (10, 60))
    gauges_s = fields.get("gauges_s", as_whole, gauges_s)
    return built(where, partial(
        DeviceConfig, device=device, source=read(fields, beside) if read else None,
        gauges_s=gauges_s, registers_s=fields.get("registers_s", as_whole,
                                                  max(registers_s, gauges_s)),
        timeout_s=fields.get("timeout_s", as_number, 3.0),
        presence=fields.maybe("presence", partial(_presence, beside))))


def _presence(beside: Path, where: str, value: object) -> PresenceRule:
    fields = Fields(where, value, _PRESENCE)
    return built(where, partial(
        PresenceRule, hold_s=fields.get("hold_s", as_whole, 300),
        power_above_w=fields.maybe("power_above_w", as_number),
        sensors=tuple(_sensor(beside, place, item) for place, item in fields.each("sensors"))))


def _sensor(beside: Path, where: str, item: object) -> TalkingSource:
    keys = tuple(item) if isinstance(item, dict) else ()
    driver = Fields(where, item, keys).need("driver", as_text)
    if driver not in TALKING:
        raise InputError(f"{where}.driver", f"{driver!r} tells no presence", ", ".join(TALKING))
    known, read = TALKING[driver]
    return read(Fields(where, item, ("driver", *known)), beside)


def _modbus(fields: Fields, beside: Path) -> ModbusSource:
    try:
        model = load_map(fields.need("model", as_text), beside)
    except InputError as error:
        raise InputError(fields.at(error.where), error.problem, error.expected) from None
    return ModbusSource(
        model=model, host=fields.need("host", as_text), port=fields.get("port", as_port, 502),
        unit=fields.get("unit", partial(_within, 0, 255), 1),
        framing=fields.get("framing", partial(_one_of, ("tcp", "rtu-over-tcp")), "tcp"))


def _nut(fields: Fields, beside: Path) -> NutSource:
    ca_file = fields.get("ca_file", as_text, "")
    return NutSource(
        host=fields.need("host", as_text), port=fields.get("port", as_port, 3493),
        ups=fields.need("ups", as_text), user=fields.get("user", as_text, ""),
        password=secret(fields, "password", beside), ca_file=str(beside / ca_file)
        if ca_file else "", tls=fields.get("tls", as_flag, bool(ca_file)))


def _snmp(fields: Fields, beside: Path) -> SnmpSource:
    user = fields.get("user", as_text, "")
    community = secret(fields, "community", beside)
    if bool(user) == bool(community):
        raise InputError(fields.at("community"), "it is unclear how to enter",
                         "community (v2c), or user (v3)")
    auth = fields.get("auth", partial(_one_of, _AUTH), "none")
    privacy = fields.get("privacy", partial(_one_of, _PRIVACY), "none")
    passwords = {name: secret(fields, name, beside)
                 for name in ("auth_password", "privacy_password")}
    for method, name in ((auth, "auth_password"), (privacy, "privacy_password")):
        if method != "none" and len(passwords[name]) < 8:
            raise InputError(fields.at(name), "is missing or short", "at least 8 characters")
    if privacy != "none" and auth == "none":
        raise InputError(fields.at("auth"), "is missing", "auth, which privacy needs")
    return SnmpSource(host=fields.need("host", as_text), port=fields.get("port", as_port, 161),
                      community=community, user=user, auth=auth, privacy=privacy, **passwords)


def _tasmota(fields: Fields, beside: Path) -> TasmotaSource:
    full_topic = fields.get("full_topic", as_text, "%prefix%/%topic%/")
    if not {"%prefix%", "%topic%"} <= set(full_topic.split("/")):
        raise InputError(fields.at("full_topic"), f"{shown(full_topic)} lacks its parts",
                         "%prefix% and %topic% between slashes")
    return TasmotaSource(topic=fields.need("topic", as_topic), full_topic=full_topic,
                         group=fields.get("group", as_text, "ENERGY"),
                         channel=fields.maybe("channel", partial(_within, 0, 7)),
                         switch=fields.get("switch", as_text, ""))


def _shelly(fields: Fields, beside: Path) -> ShellySource:
    component = fields.get("component", as_text, "switch:0")
    type_, _, number = component.partition(":")
    if type_ not in SHELLY_COMPONENTS or not number.isdigit():
        raise InputError(fields.at("component"), f"{shown(component)} is unknown",
                         ", ".join(f"{name}:0" for name in SHELLY_COMPONENTS))
    return ShellySource(topic=fields.need("topic", as_topic), component=component)


SHELLY_COMPONENTS = ("switch", "cover", "pm1", "em1", "em", "relay", "emeter", "input")


def _zigbee(fields: Fields, beside: Path) -> ZigbeeSource:
    return ZigbeeSource(name=fields.need("name", as_topic),
                        base=fields.get("base", as_topic, "zigbee2mqtt"),
                        attribute=fields.get("attribute", as_text, ""))


def _uplink(fields: Fields, beside: Path) -> UplinkSource:
    targets = fields.need("targets", as_list)
    if not targets:
        raise InputError(fields.at("targets"), "there is none", "at least one host:port")
    return UplinkSource(targets=tuple(_target(where, item)
                                      for where, item in fields.each("targets")),
                        tries=fields.get("tries", partial(_within, 1, 20), 5))


def _target(where: str, value: object) -> tuple[str, int]:
    host, _, port = as_text(where, value).rpartition(":")
    if not host or not port.isdigit():
        raise InputError(where, f"{shown(value)} is no target", "host:port")
    return host.strip("[]"), as_port(where, int(port))


def as_port(where: str, value: object) -> int:
    """A TCP or UDP port."""
    return _within(1, 65_535, where, value)


def as_topic(where: str, value: object) -> str:
    """Part of an MQTT topic, without wildcards."""
    text = as_text(where, value)
    if "#" in text or "+" in text or text.startswith("/") or text.endswith("/"):
        raise InputError(where, f"{shown(text)} is no topic", "levels such as room/plug-1")
    return text


def secret(fields: Fields, name: str, beside: Path) -> str:
    """`name`, or the content of the file that `name_file` names; empty when neither is there."""
    given = fields.get(name, as_text, "")
    file = fields.maybe(f"{name}_file", as_text)
    if file is None:
        return given
    try:
        return (beside / file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        detail = getattr(error, "strerror", None) or "it is no text"
        raise InputError(fields.at(f"{name}_file"), f"{file} cannot be read: {detail}",
                         "a file that holds the secret") from None


def _within(low: int, high: int, where: str, value: object) -> int:
    number = as_whole(where, value)
    if not low <= number <= high:
        raise InputError(where, f"{number} is out of range", f"{low} to {high}")
    return number


def _one_of(choice: tuple[str, ...], where: str, value: object) -> str:
    if value not in choice:
        raise InputError(where, f"{shown(value)} is unknown", ", ".join(choice))
    return as_text(where, value)


_TASMOTA = ("topic", "full_topic", "group", "channel", "switch")
_SHELLY = ("topic", "component")
_ZIGBEE = ("name", "base", "attribute")

TALKING: dict[str, tuple[tuple[str, ...], Callable[[Fields, Path], TalkingSource]]] = {
    "tasmota": (_TASMOTA, _tasmota), "shelly": (_SHELLY, _shelly),
    "zigbee2mqtt": (_ZIGBEE, _zigbee)}
"""Drivers of devices that speak MQTT themselves: the keys of their entry, and its reader."""

_Driver = tuple[tuple[str, ...], tuple[str, ...], Callable[[Fields, Path], Source]]

DRIVERS: dict[str, _Driver] = {
    "modbus": (("meter", "seat"), ("model", "host", "port", "unit", "framing"), _modbus),
    "nut": (("ups",), ("host", "port", "ups", "user", "password", "password_file", "tls",
                       "ca_file"), _nut),
    "snmp": (("ups",), ("host", "port", "community", "community_file", "user", "auth",
                        "auth_password", "auth_password_file", "privacy", "privacy_password",
                        "privacy_password_file"), _snmp),
    "uplink": (("uplink",), ("targets", "tries"), _uplink),
    **{name: (("seat", "meter"), *row) for name, row in TALKING.items()}}
"""Driver -> kinds of device it gives, keys of its entry, reader of the entry."""
