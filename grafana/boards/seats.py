"""How are the seats used? Counts by zone: no panel tells of a person."""

from grafana.board import Board, to_board
from grafana.influxql import HOUR, SITE, WEEKDAY, ZONE, every, latest_sum, summed, total
from grafana.panels import GREEN, ORANGE, RED, YELLOW, Panel

_WEEK = [SITE, ZONE, HOUR, WEEKDAY]
_BLUES = ((None, "dark-blue"), (20, "blue"), (40, GREEN), (60, YELLOW), (80, ORANGE), (95, RED))

SHARE = (
    Panel(kind="stat", title="Seats", width=4, height=5, unit="none", decimals=0,
          about="Declared seats of the chosen zones.", interval="30m",
          queries=[latest_sum("seats", "zone_occupancy", [SITE, ZONE], ["site", "zone"],
                              ["site"], "seats")]),
    Panel(kind="stat", title="Occupied", width=4, height=5, unit="none", decimals=1,
          about="Seats with somebody at them, mean of each interval.", interval="30m",
          queries=[summed("occupied", "zone_occupancy", [SITE, ZONE], ["zone"], "occupied")]),
    Panel(kind="stat", title="Mean in the chosen hours", width=8, height=5, unit="percent",
          about="Mean share occupied on the chosen weekdays and hours (working hours at first).",
          decimals=1, steps=_BLUES,
          queries=[total('mean("occupied_pct")', "zone_hour", _WEEK, ["zone"])]),
    Panel(kind="stat", title="Peak in the chosen hours", width=8, height=5, unit="percent",
          about="Highest interval's share occupied on the chosen weekdays and hours.",
          decimals=1, steps=_BLUES,
          queries=[total('max("occupied_pct")', "zone_hour", _WEEK, ["zone"])]),
    Panel(kind="state-timeline", title="Share occupied by zone", unit="percent", width=24,
          about="Each zone's share of occupied seats in steps, from empty to full.", decimals=0,
          interval="30m", steps=_BLUES,
          link=("Devices", to_board("sw-devices", "site", of_series=("zone",))),
          queries=[every('mean("occupied_pct")', "zone_occupancy", [SITE, ZONE], ["zone"])]),
    Panel(kind="timeseries", title="Seats occupied by zone", unit="none", stacked=True, width=24,
          about="Seats with somebody at them, zones upon one another.", interval="30m",
          queries=[every('mean("occupied")', "zone_occupancy", [SITE, ZONE], ["zone"])]),
)

WEEK = (
    Panel(kind="table", title="Hour by weekday", unit="percent", width=24, height=10, decimals=0,
          about="Mean share of the chosen zones' seats by local hour and weekday, over the "
                "dashboard's range.",
          steps=_BLUES, coloured=True,
          queries=[total('100 * sum("occupied") / sum("seats") AS "share"', "zone_hour",
                         [SITE, ZONE], ["weekday", "hour"], table=True)],
          transformations=[("groupingToMatrix", {"columnField": "hour", "rowField": "weekday",
                                                 "valueField": "share"})]),
)

USE = (
    Panel(kind="timeseries", title="Empty seats drawing power", unit="none", interval="30m",
          about="Seats that nobody sat at for a whole interval and that took more than 10 W.",
          queries=[every('max("empty_drawing")', "seat_use", [SITE, ZONE], ["zone"])]),
    Panel(kind="stat", title="Energy of empty seats", unit="watth", height=8, decimals=0,
          about="What seats took while nobody sat at them, over the dashboard's range.",
          steps=((None, GREEN), (1000, YELLOW), (10000, RED)),
          queries=[total('sum("empty_wh")', "seat_use", [SITE, ZONE], ["zone"])]),
    Panel(kind="timeseries", title="Held but unused", unit="none", interval="30m",
          about="Seats that a tenant held and nobody sat at.",
          queries=[every('max("held_unused")', "seat_use", [SITE, ZONE], ["zone"])]),
    Panel(kind="timeseries", title="Used but not held", unit="none", interval="30m",
          about="Seats that somebody sat at and no tenant held.",
          queries=[every('max("used_unheld")', "seat_use", [SITE, ZONE], ["zone"])]),
)

BOARD = Board(
    uid="sw-seats", folder="Seats", title="Seats", from_="now-7d", of="zone_occupancy",
    variables=("site", "zone", "hour", "weekday"), question="How are the seats used?",
    rows=(("Share occupied", SHARE), ("Pattern of the week", WEEK), ("Use and waste", USE)))
