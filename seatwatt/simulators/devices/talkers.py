"""What simulated plugs and motion sensors publish, in the words of their firmware. Pure."""

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from seatwatt.simulators.devices.truth import MeterNow

Published = tuple[str, bytes]


def _body(topic: str, body: object) -> Published:
    return topic, json.dumps(body, separators=(",", ":")).encode()


def _local(at_ms: int, zone: ZoneInfo) -> str:
    """Tasmota's time: local, whole seconds, without a zone."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(zone).strftime(
        "%Y-%m-%dT%H:%M:%S")


def tasmota(topic: str, now: MeterNow, at_ms: int, zone: ZoneInfo) -> Published:
    """A Tasmota plug: kWh with three digits, cut off as its display does."""
    return _body(f"tele/{topic}/SENSOR", {
        "Time": _local(at_ms, zone),
        "ENERGY": {"TotalStartTime": "2025-01-01T00:00:00",
                   "Total": int(now.import_wh) / 1000, "Yesterday": 0.0, "Today": 0.0,
                   "Power": round(now.power_w), "ApparentPower": round(now.power_w),
                   "ReactivePower": 0, "Factor": 1.0, "Voltage": round(now.voltage_v),
                   "Current": round(now.power_w / now.voltage_v, 3)}})


def shelly(topic: str, now: MeterNow, at_ms: int) -> Published:
    """A Shelly plug of the second generation: what changed, in watt-hours."""
    return _body(f"{topic}/events/rpc", {
        "src": topic, "dst": f"{topic}/events", "method": "NotifyStatus",
        "params": {"ts": at_ms / 1000, "switch:0": {
            "id": 0, "apower": round(now.power_w, 1), "voltage": now.voltage_v,
            "current": round(now.power_w / now.voltage_v, 3),
            "aenergy": {"total": round(now.import_wh, 3), "by_minute": [0.0, 0.0, 0.0],
                        "minute_ts": at_ms // 60_000 * 60}}}})


def zigbee_plug(name: str, now: MeterNow, at_ms: int) -> Published:
    """A Zigbee plug: hundredths of a kWh, every attribute in every message."""
    return _body(f"zigbee2mqtt/{name}", {
        "current": round(now.power_w / now.voltage_v, 2), "energy": int(now.import_wh / 10) / 100,
        "last_seen": at_ms, "linkquality": 90, "power": round(now.power_w), "state": "ON",
        "update": {"state": None}, "voltage": round(now.voltage_v)})


def zigbee_motion(name: str, moved: bool, at_ms: int) -> Published:
    """A motion sensor; its battery is given in millivolts."""
    return _body(f"zigbee2mqtt/{name}", {
        "battery": 97, "illuminance": 120, "last_seen": at_ms, "linkquality": 80,
        "occupancy": moved, "voltage": 2995})
