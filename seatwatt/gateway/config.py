"""What a gateway is told: its own name, and its devices with where and how each is read."""

from collections import Counter
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from seatwatt.contract.devices import Device, check_identifier
from seatwatt.contract.errors import InputError
from seatwatt.gateway.registers import RegisterMap


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """An MQTT broker and how to enter; `ca_file` set means TLS, `cert_file` and `key_file` are
    ours, where it asks for a certificate."""

    host: str
    port: int = 1883
    user: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModbusSource:
    """A meter behind Modbus TCP, or behind a converter that passes RTU frames on."""

    model: RegisterMap
    host: str
    port: int = 502
    unit: int = 1
    framing: str = "tcp"


@dataclass(frozen=True, slots=True, kw_only=True)
class NutSource:
    """A UPS of an `upsd`; with `tls` the connection is encrypted before the login, and the
    server's certificate checked against `ca_file` (without one, it is taken as it is)."""

    host: str
    ups: str
    port: int = 3493
    user: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    ca_file: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SnmpSource:
    """A UPS with an SNMP agent: a community (v2c), or a user with its two pass phrases (v3)."""

    host: str
    port: int = 161
    community: str = field(default="", repr=False)
    user: str = ""
    auth: str = "none"
    auth_password: str = field(default="", repr=False)
    privacy: str = "none"
    privacy_password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TasmotaSource:
    """A Tasmota device by its topic; `channel` picks one of several metered outlets (from 0),
    `group` the object that holds the energy (`ENERGY`, or the name given to an SML meter)."""

    topic: str
    full_topic: str = "%prefix%/%topic%/"
    group: str = "ENERGY"
    channel: int | None = None
    switch: str = ""
    """For presence: the key that tells it, such as `Switch1`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellySource:
    """A Shelly device by its topic prefix, and the component that measures: `switch:0`, `pm1:0`,
    `em1:0`, `em:0` (Gen2 and later), `relay:0`, `emeter:0` (Gen1); for presence `input:0`."""

    topic: str
    component: str = "switch:0"


@dataclass(frozen=True, slots=True, kw_only=True)
class ZigbeeSource:
    """A Zigbee2MQTT device by its friendly name; `attribute` is what tells presence."""

    name: str
    base: str = "zigbee2mqtt"
    attribute: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UplinkSource:
    """An internet line, judged by TCP connections to hosts behind it: (host, port)."""

    targets: tuple[tuple[str, int], ...]
    tries: int = 5
    """Connections to each target a poll: the share that fails is the loss."""


PolledSource = ModbusSource | NutSource | SnmpSource | UplinkSource
TalkingSource = TasmotaSource | ShellySource | ZigbeeSource
Source = PolledSource | TalkingSource


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceRule:
    """How it is known whether somebody is at a seat, or in a room."""

    sensors: tuple[TalkingSource, ...] = ()
    hold_s: int = 300
    """How long a person is believed to be there after the last sign."""
    power_above_w: float | None = None
    """Plug power that counts as a sign, where no sensor of the seat is alive."""

    def __post_init__(self) -> None:
        if not self.sensors and self.power_above_w is None:
            raise InputError("sensors", "there is none", "sensors, or power_above_w")
        if not 0 <= self.hold_s <= 86_400:
            raise InputError("hold_s", f"{self.hold_s} is out of range", "0 to 86400")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceConfig:
    """One device: how it is read (`source`), how presence is known there, or both."""

    device: Device
    source: Source | None = None
    gauges_s: int = 10
    registers_s: int = 60
    timeout_s: float = 3.0
    presence: PresenceRule | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.gauges_s <= 3600:
            raise InputError("gauges_s", f"{self.gauges_s} is out of range", "1 to 3600")
        if not 1 <= self.registers_s <= 3600 or self.registers_s % self.gauges_s:
            raise InputError("registers_s", f"{self.registers_s} is no multiple of gauges_s "
                             f"({self.gauges_s})", "a multiple of gauges_s, at most 3600")
        if not 0.05 <= self.timeout_s <= 60:
            raise InputError("timeout_s", f"{self.timeout_s} is out of range", "0.05 to 60")
        if self.source is None and self.presence is None:
            raise InputError("driver", "is missing", "a driver, or presence")
        if self.presence is not None and self.device.kind not in ("seat", "room"):
            raise InputError("presence", f"a {self.device.kind} is never occupied",
                             "a seat or a room")


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayConfig:
    """A gateway, its devices, and the entries that cannot be used.

    A wrong entry costs one device, not the site: it stands in `problems` and the rest runs.
    """

    gateway: str
    site: str
    zone: str
    time_zone: ZoneInfo
    devices: tuple[DeviceConfig, ...]
    listen: Broker | None = None
    """Where the devices publish; None: the broker that the gateway publishes to."""
    problems: tuple[tuple[Device, str], ...] = ()

    def __post_init__(self) -> None:
        for where, text in (("gateway", self.gateway), ("site", self.site), ("zone", self.zone)):
            check_identifier(where, text)
        names = Counter(one.device for one in self.devices)
        twice = [str(device) for device, count in names.items() if count > 1]
        if twice:
            raise InputError("devices", f"{twice[0]} is declared twice", "each device once")

    @property
    def own(self) -> Device:
        """The gateway as a device, which reports on itself."""
        return Device("gateway", self.zone, self.gateway)
