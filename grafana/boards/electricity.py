"""What does the site draw, of which quality, and where does it go?

NEPRA's Performance Standards (Distribution) Rules 2005: voltage within 5 %, frequency within 1 %.
"""

from grafana.board import Board, to_board
from grafana.influxql import SITE, SOURCES, TENANT, ZONE, Query, every, points, total
from grafana.panels import GREEN, ORANGE, RED, YELLOW, Panel

LOW_V, HIGH_V, LOW_HZ, HIGH_HZ = 218.5, 241.5, 49.5, 50.5
_VOLTS = ((None, RED), (LOW_V, GREEN), (HIGH_V, RED))
_HERTZ = ((None, RED), (LOW_HZ, GREEN), (HIGH_HZ, RED))
_METER = [SITE, ZONE]


def _phases(quantity: str, unit: str, extreme: str) -> list[Query]:
    return [every(f'{extreme}("{quantity}_l{n}_{unit}")', "meter", _METER, ["zone", "device"],
                  f"$tag_zone $tag_device L{n}") for n in (1, 2, 3)]


LOAD = (
    Panel(kind="timeseries", title="Load by board", unit="watt", width=16,
          about="Power of each meter of the chosen zones.",
          link=("Device", to_board("sw-devices", "site", of_series=("zone", "device"))),
          queries=[every('mean("power_w")', "meter", _METER, ["zone", "device"])]),
    Panel(kind="timeseries", title="Demand and sanctioned load", unit="watt", width=8,
          about="Mean power of each interval of the site, and the sanctioned load if declared.",
          interval="30m",
          queries=[every('max("demand_w")', "site_demand", [SITE], alias="demand"),
                   every('max("sanctioned_w")', "site_demand", [SITE], alias="sanctioned")]),
    Panel(kind="stat", title="Maximum demand", unit="watt", width=8, height=5, decimals=1,
          about="Highest interval's mean power in the dashboard's range.",
          queries=[total('max("demand_w")', "site_demand", [SITE], alias="maximum demand")]),
    Panel(kind="stat", title="Generator hours", unit="h", width=8, height=5, decimals=1,
          about="Hours of intervals in which the generator gave energy, in the local days shown.",
          queries=[total('sum("generator_h")', "site_day", [SITE], alias="generator")]),
    Panel(kind="stat", title="Outages", unit="none", width=8, height=5, decimals=0,
          about="Times in the range when the grid's meters read no power.",
          steps=((None, GREEN), (1, YELLOW), (4, ORANGE)),
          queries=[total('count("title")', "events", ["\"kind\" = 'outage'", SITE],
                         alias="outages")]),
)

QUALITY = (
    Panel(kind="timeseries", title="Phase voltage, lowest", unit="volt",
          about="Lowest of each interval, so that a short dip shows at any zoom. Lines: NEPRA's "
                "band of 5 %. A dead phase lies below the picture; outages are shaded.",
          steps=_VOLTS, low=190, high=260, queries=_phases("voltage", "v", "min")),
    Panel(kind="timeseries", title="Phase voltage, highest", unit="volt",
          about="Highest of each interval. Lines: NEPRA's band of 5 %.", steps=_VOLTS,
          low=190, high=260, queries=_phases("voltage", "v", "max")),
    Panel(kind="timeseries", title="Phase current", unit="amp",
          about="Current of each phase, highest of each interval.",
          queries=_phases("current", "a", "max")),
    Panel(kind="timeseries", title="Frequency", unit="hertz", decimals=2,
          about="Mean of each interval. Lines: NEPRA's band of 1 %.", steps=_HERTZ,
          low=48.5, high=51.5,
          queries=[every('mean("frequency_hz")', "meter", [*_METER, '"frequency_hz" > 1'],
                         ["zone", "device"])]),
    Panel(kind="timeseries", title="Power factor", unit="none", decimals=2, low=0.5, high=1,
          about="Mean of each interval. Below 0.85 the tariff may charge a penalty.",
          steps=((None, RED), (0.85, YELLOW), (0.95, GREEN)),
          queries=[every('mean("power_factor")', "meter", [*_METER, '"power_factor" != 0'],
                         ["zone", "device"])]),
    Panel(kind="table", title="Outages, one by one", unit="none",
          about="When the grid's meters read no power, and for how long.",
          queries=[points('"title", "end_ms"', "events", ["\"kind\" = 'outage'", SITE],
                          table=True)],
          units={"end_ms": "dateTimeAsLocal"}),
)

ENERGY = (
    Panel(kind="timeseries", title="Daily energy by zone", unit="kwatth", bars=True, stacked=True,
          about="Energy of each local day by zone: its meters' own and its seats.",
          queries=[points('"energy_wh" / 1000', "zone_day", [SITE, ZONE], ["zone"])]),
    Panel(kind="timeseries", title="Daily energy by tenant", unit="kwatth", bars=True,
          stacked=True, about="Energy of each local day by tenant, shared parts included.",
          link=("Tenants", to_board("sw-tenants", "site", of_series=("tenant",))),
          queries=[points('"energy_wh" / 1000', "tenant_day", [SITE, TENANT], ["tenant"])]),
    Panel(kind="timeseries", title="Daily energy by source", unit="kwatth", bars=True,
          stacked=True, about="What each source gave in each local day.",
          queries=[points(f'"{source}_wh" / 1000', "site_day", [SITE], alias=source)
                   for source in SOURCES]),
    Panel(kind="timeseries", title="Daily maximum demand", unit="watt", bars=True,
          about="Highest interval's mean power of each local day.",
          queries=[points('"demand_w"', "site_day", [SITE], alias="maximum demand")]),
)

BOARD = Board(
    uid="sw-electricity", folder="Power", title="Electricity", from_="now-7d",
    variables=("site", "zone", "tenant"),
    question="What does the site draw, of which quality, and where does it go?",
    rows=(("Load", LOAD), ("Quality", QUALITY), ("Energy of local days", ENERGY)))
