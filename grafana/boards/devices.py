"""What does this one device say?"""

from grafana.board import Board
from grafana.boards.overview import ON_BATTERY
from grafana.influxql import DEVICE, SITE, ZONE, every
from grafana.panels import GREEN, GREY, ORANGE, RED, Panel

_ONE = [SITE, ZONE, DEVICE]
_BY = ["zone", "device"]
_OCCUPIED = {"0": ("empty", GREY), "1": ("occupied", GREEN)}
_UP = {"0": ("down", RED), "1": ("up", GREEN)}


def _line(title: str, about: str, unit: str, field: str, kind: str, how: str = "mean") -> Panel:
    return Panel(kind="timeseries", title=title, about=about, unit=unit,
                 queries=[every(f'{how}("{field}")', kind, _ONE, _BY)])


HEALTH = (
    Panel(kind="timeseries", title="Age of the last reading", unit="s", width=24, height=6,
          about="A line that climbs is a device that has fallen silent.",
          steps=((None, GREEN), (300, ORANGE), (3600, RED)),
          queries=[every('max("age_s")', "device_health", _ONE, ["kind", "zone", "device"])]),
)
SEAT = (
    Panel(kind="state-timeline", title="Seat occupied", unit="none", states=_OCCUPIED,
          about="Whether somebody sits there, as the sensor says; its word holds for a day.",
          holds_ms=86_400_000,
          queries=[every('max("occupied")', "seat", _ONE, _BY)]),
    _line("Seat power", "Power at the seat.", "watt", "power_w", "seat"),
    _line("Seat register", "The register as it is shown: it falls at a reset or an exchange.",
          "watth", "energy_wh", "seat", "last"),
    _line("Seat voltage", "Voltage at the seat.", "volt", "voltage_v", "seat"),
)
METER = (
    _line("Meter power", "Power through the meter.", "watt", "power_w", "meter"),
    _line("Meter register", "The import register as it is shown.", "watth", "energy_import_wh",
          "meter", "last"),
    _line("Meter apparent power", "Apparent power through the meter.", "voltamp",
          "apparent_power_va", "meter"),
    _line("Meter reactive register", "The reactive register as it is shown.", "suffix: varh",
          "reactive_import_varh", "meter", "last"),
)
REST = (
    Panel(kind="state-timeline", title="UPS on battery", unit="none", states=ON_BATTERY,
          about="Mains or battery. A minute on battery shows at any zoom.",
          queries=[every('max("on_battery")', "ups", _ONE, _BY)]),
    _line("UPS runtime left", "What the UPS says it could carry on.", "s", "battery_runtime_s",
          "ups", "min"),
    _line("UPS charge", "Charge of the battery.", "percent", "battery_charge_pct", "ups", "min"),
    _line("UPS load", "Load of its rating.", "percent", "load_pct", "ups", "max"),
    Panel(kind="state-timeline", title="Uplink", unit="none", states=_UP,
          about="Whether the internet uplink answers; lowest of each interval.",
          queries=[every('min("up")', "uplink", _ONE, _BY)]),
    _line("Uplink latency", "Time to the uplink's probe and back.", "ms", "latency_ms", "uplink",
          "max"),
    _line("Uplink loss", "Share of probes lost.", "percent", "loss_pct", "uplink", "max"),
    _line("People in a room", "Count of the room's sensor.", "none", "people", "room", "max"),
)

BOARD = Board(
    uid="sw-devices", folder="Site", title="Devices", variables=("site", "zone", "device"),
    one=True,
    question="What does this one seat, meter, UPS or uplink say?",
    rows=(("Health", HEALTH), ("Seat", SEAT), ("Meter", METER), ("UPS, uplink, room", REST)))
