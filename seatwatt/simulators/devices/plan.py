"""Which simulated device speaks which protocol, and the gateway's configuration for them. Pure.

Every protocol of a site gets some: sources count whole watt-hours (iEM3155), boards take turns
through the models, seats' plugs through the firmwares, each seat has a motion sensor.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import yaml

from seatwatt.contract.devices import Device
from seatwatt.contract.site import Site
from seatwatt.simulators.devices.meters import MODELS
from seatwatt.simulators.devices.truth import Truth

BOARD_MODELS = ("iem3155", "sdm630", "em340", "iem3155")
PLUGS = ("tasmota", "shelly", "tasmota", "shelly", "tasmota", "shelly", "zigbee2mqtt")
PLUG_RESOLUTION_WH = {"tasmota": 1.0, "shelly": 0.1, "zigbee2mqtt": 10.0}
HOLD_S = 120
Ports = Callable[[], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One simulated device: its protocol, where it is found, and how finely it counts."""

    device: Device
    driver: str
    name: str = ""
    """A topic, a friendly name, or the name of a UPS."""
    model: str = ""
    port: int = 0
    unit: int = 1
    framing: str = "tcp"
    resolution_wh: float = 0.0
    """0: it counts no energy."""


def planned(truth: Truth, ports: Ports) -> list[Part]:
    """A part for every meter, seat, room and UPS of the world."""
    sources = {node.device for node in truth.world.layout.sources}
    meters = [device for device in truth.meters if device.kind == "meter"]
    parts = [_board(number, device, device in sources, ports)
             for number, device in enumerate(meters)]
    parts = _on_one_line(parts, ports)
    metered = set(truth.meters)
    for number, (zone, seat) in enumerate(truth.world.layout.seats):
        device = Device("seat", zone, seat)
        if device in metered:
            driver = PLUGS[number % len(PLUGS)]
            parts.append(Part(device=device, driver=driver, name=f"{driver}-{zone}-{seat}",
                              resolution_wh=PLUG_RESOLUTION_WH[driver]))
        parts.append(Part(device=device, driver="motion", name=f"pir-{zone}-{seat}"))
    parts += [Part(device=Device("room", room.name, "presence"), driver="motion",
                   name=f"pir-{room.name}") for room in truth.world.layout.rooms]
    nut_port = ports()
    for number, device in enumerate(truth.upses):
        driver = ("nut", "snmp")[number % 2]
        parts.append(Part(device=device, driver=driver, name=f"{device.zone}-{device.name}",
                          port=nut_port if driver == "nut" else ports()))
    return parts


def _board(number: int, device: Device, is_source: bool, ports: Ports) -> Part:
    model = "iem3155" if is_source else BOARD_MODELS[number % len(BOARD_MODELS)]
    return Part(device=device, driver="modbus", model=model, port=ports(),
                resolution_wh=MODELS[model].resolution_wh)


def _on_one_line(parts: Sequence[Part], ports: Ports) -> list[Part]:
    """The SDM630 share a converter, as meters with an RS-485 port do."""
    shared = [part for part in parts if part.model == "sdm630"]
    port = ports() if shared else 0
    on_line = {part.device: Part(device=part.device, driver=part.driver, model=part.model,
                                 port=port, unit=unit, framing="rtu-over-tcp",
                                 resolution_wh=part.resolution_wh)
               for unit, part in enumerate(shared, 1)}
    return [on_line.get(part.device, part) for part in parts]


def gateway_config(site: Site, zone: str, parts: Sequence[Part], broker: tuple[str, int],
                   secrets: dict[str, str], host: str = "127.0.0.1") -> str:
    """The gateway's configuration (YAML) that reads all parts, which it finds at `host`.
    `secrets`: what NUT's user and SNMP's community are let in with (`nut_user`, `nut_password`,
    `community`)."""
    motions = {part.device: part.name for part in parts if part.driver == "motion"}
    entries = [_entry(part, secrets, host) for part in parts if part.driver != "motion"]
    named = {entry["device"]: entry for entry in entries}
    for device, name in motions.items():
        entry = named.get(str(device))
        if entry is None:
            entry = {"device": str(device)}
            entries.append(entry)
        entry["presence"] = {"sensors": [{"driver": "zigbee2mqtt", "name": name}],
                             "hold_s": HOLD_S}
    heard_at, port = broker
    entries.append({"device": f"uplink/{zone}/broker", "driver": "uplink",
                    "targets": [f"{heard_at}:{port}"]})
    head = {"gateway": "gw-1", "site": site.id, "zone": zone, "time_zone": str(site.time_zone),
            "listen": {"host": heard_at, "port": port}, "devices": entries}
    return ("# Written by `seatwatt simulate --devices`.\n"
            + yaml.safe_dump(head, sort_keys=False, default_flow_style=None, width=100))


def _entry(part: Part, secrets: dict[str, str], host: str) -> dict[str, object]:
    entry: dict[str, object] = {"device": str(part.device), "driver": part.driver}
    if part.driver == "modbus":
        return entry | {"model": part.model, "host": host, "port": part.port,
                        "unit": part.unit, "framing": part.framing}
    if part.driver == "nut":
        return entry | {"host": host, "port": part.port, "ups": part.name,
                        "user": secrets["nut_user"], "password": secrets["nut_password"]}
    if part.driver == "snmp":
        return entry | {"host": host, "port": part.port,
                        "community": secrets["community"]}
    return entry | {"name" if part.driver == "zigbee2mqtt" else "topic": part.name}
