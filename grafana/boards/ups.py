"""Will the UPSs carry the site through the next outage?"""

from grafana.board import Board, to_board
from grafana.boards.overview import ON_BATTERY
from grafana.influxql import DEVICE, SITE, ZONE, every, points, total
from grafana.panels import GREEN, GREY, ORANGE, RED, YELLOW, Panel

_UPS = [SITE, ZONE, DEVICE]
_BY = ["zone", "device"]
_FLAG = {"0": ("no", GREY), "1": ("yes", RED)}
_CHARGE = ((None, RED), (30, ORANGE), (60, YELLOW), (80, GREEN))
_RUNTIME = ((None, RED), (300, ORANGE), (900, GREEN))
_LOAD = ((None, GREEN), (80, YELLOW), (95, RED))

STATE = (
    Panel(kind="state-timeline", title="Mains or battery", unit="none", width=24, height=7,
          about="A minute on battery shows at any zoom, for it is each interval's maximum.",
          states=ON_BATTERY,
          link=("Device", to_board("sw-devices", "site", of_series=("zone", "device"))),
          queries=[every('max("on_battery")', "ups", _UPS, _BY)]),
    Panel(kind="stat", title="Transfers to battery", unit="none", width=8, height=5, decimals=0,
          about="Times a UPS took over, in the local days of the range.",
          steps=((None, GREEN), (4, YELLOW), (12, ORANGE)),
          queries=[total('sum("transfers")', "ups_day", _UPS, _BY)]),
    Panel(kind="timeseries", title="Transfers a day", unit="none", width=16, height=5, bars=True,
          about="Times a UPS took over, by local day. Many wear batteries out.",
          queries=[points('"transfers"', "ups_day", _UPS, _BY)]),
)

CHARGE = (
    Panel(kind="gauge", title="Charge now", unit="percent", width=8, low=0, high=100,
          about="Charge of the battery.", steps=_CHARGE, time_from="10m",
          queries=[every('last("battery_charge_pct")', "ups", _UPS, _BY)]),
    Panel(kind="timeseries", title="Charge", unit="percent", width=16, low=0, high=100,
          about="Lowest of each interval.", steps=_CHARGE,
          queries=[every('min("battery_charge_pct")', "ups", _UPS, _BY)]),
    Panel(kind="timeseries", title="Runtime left", unit="s", steps=_RUNTIME,
          about="What the UPS says it could carry on, lowest of each interval.",
          queries=[every('min("battery_runtime_s")', "ups", _UPS, _BY)]),
    Panel(kind="timeseries", title="Load", unit="percent", steps=_LOAD,
          about="Load of its rating, highest of each interval.",
          queries=[every('max("load_pct")', "ups", _UPS, _BY)]),
    Panel(kind="timeseries", title="Input voltage", unit="volt",
          about="What the mains give it: dips here are transfers there.",
          queries=[every('min("input_voltage_v")', "ups", _UPS, _BY)]),
)

AGE = (
    Panel(kind="state-timeline", title="Replace battery", unit="none", states=_FLAG,
          about="Whether the UPS asks for a new battery.",
          queries=[every('max("replace_battery")', "ups", _UPS, _BY)]),
    Panel(kind="timeseries", title="Battery voltage", unit="volt",
          about="Lowest of each interval: an old battery sags sooner under the same load.",
          queries=[every('min("battery_voltage_v")', "ups", _UPS, _BY)]),
    Panel(kind="timeseries", title="Temperature", unit="celsius",
          about="Ten degrees more halve a lead battery's life.",
          steps=((None, GREEN), (30, YELLOW), (40, RED)),
          queries=[every('max("temperature_c")', "ups", _UPS, _BY)]),
)

BOARD = Board(
    uid="sw-ups", folder="Power", title="UPS", from_="now-7d", variables=("site", "zone", "device"),
    of="ups",
    question="Will the UPSs carry the site through the next outage?",
    rows=(("State", STATE), ("Charge and load", CHARGE), ("Signs of age", AGE)))
