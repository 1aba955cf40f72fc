"""Is anything wrong at the site now?"""

from grafana.board import Board, to_board
from grafana.influxql import SITE, SOURCES, every, latest_sum, points, summed, total
from grafana.panels import GREEN, GREY, ORANGE, RED, YELLOW, Panel

ON_OFF = {"0": ("off", GREY), "1": ("on", GREEN)}
ON_BATTERY = {"0": ("mains", GREEN), "1": ("battery", RED)}

NOW = (
    Panel(kind="stat", title="Seats occupied", width=4, height=5, unit="none", decimals=0,
          about="Seats with somebody at them, mean of the last interval, all zones together.",
          interval="1h", time_from="3h", link=("Seats", to_board("sw-seats", "site")),
          queries=[summed("occupied", "zone_occupancy", [SITE], ["zone"], "occupied")]),
    Panel(kind="stat", title="Load", width=4, height=5, time_from="10m", unit="watt", decimals=1,
          about="What all sources give together, from the main meters.",
          link=("Electricity", to_board("sw-electricity", "site")),
          queries=[every('mean("load_w")', "site_now", [SITE], alias="load")]),
    Panel(kind="gauge", title="Load of the sanctioned load", width=4, height=5, unit="percent",
          about="Load against the sanctioned load that the site file declares.", time_from="10m",
          low=0, high=120, steps=((None, GREEN), (80, YELLOW), (90, ORANGE), (100, RED)),
          queries=[every('max("load_pct")', "site_now", [SITE], alias="load")]),
    Panel(kind="stat", title="Silent devices", width=4, height=5, unit="none", decimals=0,
          about="Devices not heard of for longer than the API's silence limit, by kind.",
          steps=((None, GREEN), (1, ORANGE), (10, RED)), time_from="10m",
          link=("Which", to_board("sw-pipeline", "site")),
          queries=[latest_sum("silent", "device_health", [SITE], ["kind", "zone", "device"],
                              ["kind"])]),
    Panel(kind="stat", title="Unaccounted", width=4, height=5, unit="percent", decimals=2,
          about="Supply that no meter below the supply saw, over the dashboard's range.",
          steps=((None, GREEN), (3, YELLOW), (5, RED)),
          queries=[total('100 * sum("unaccounted_wh") / sum("supply_wh")', "site_balance", [SITE],
                         alias="unaccounted")]),
    Panel(kind="stat", title="Ingest lag", width=4, height=5, time_from="10m", unit="s", decimals=1,
          about="Age of the oldest message that ingest has not acknowledged, by worker.",
          steps=((None, GREEN), (30, YELLOW), (120, RED)),
          link=("Pipeline", to_board("sw-pipeline")),
          queries=[every('max("oldest_unacknowledged_s")', "pipeline", [], ["worker"])]),
)

POWER = (
    Panel(kind="state-timeline", title="Source", unit="none", height=6, states=ON_OFF,
          about="Which source gives power. A minute of generator shows at any zoom.",
          queries=[every(f'max("{source}_on")', "site_now", [SITE], alias=source)
                   for source in SOURCES]),
    Panel(kind="state-timeline", title="UPS", unit="none", height=6, states=ON_BATTERY,
          about="Each UPS on mains or on battery. A minute on battery shows at any zoom.",
          link=("UPS", to_board("sw-ups", "site", of_series=("zone", "device"))),
          queries=[every('max("on_battery")', "ups", [SITE], ["zone", "device"])]),
    Panel(kind="timeseries", title="Load by source", unit="watt", stacked=True,
          about="What each source gives.",
          queries=[every(f'mean("{source}_w")', "site_now", [SITE], alias=source)
                   for source in SOURCES]),
    Panel(kind="bargauge", title="Occupied share by zone", unit="percent", low=0, high=100,
          about="Share of a zone's seats with somebody at them, mean of the last interval.",
          steps=((None, GREEN), (85, YELLOW), (95, ORANGE)), interval="30m", time_from="3h",
          link=("Seats", to_board("sw-seats", "site", of_series=("zone",))),
          queries=[every('mean("occupied_pct")', "zone_occupancy", [SITE], ["zone"])]),
)

FOUND = (
    Panel(kind="table", title="Outages, exchanges and what the rules found", unit="none", width=24,
          about="Events of the range: title, and what it concerns. Blocking findings stop a run "
                "from being issued.",
          queries=[points('"title", "text"', "events", [SITE], ["kind", "subject"], table=True)],
          transformations=[("organize", {"indexByName": {"Time": 0, "kind": 1, "subject": 2,
                                                         "title": 3, "text": 4}})]),
)

BOARD = Board(
    uid="sw-overview", folder="Site", title="Site overview", variables=("site",),
    question="Is anything wrong at the site now?",
    rows=(("Now", NOW), ("Power and people", POWER), ("What happened", FOUND)))
