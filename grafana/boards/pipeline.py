"""Does every reading arrive?"""

from grafana.board import Board, to_board
from grafana.influxql import SITE, Query, every, risen, total
from grafana.panels import GREEN, GREY, ORANGE, RED, YELLOW, Panel

_BY = ["worker"]
_YES = {"0": ("no", RED), "1": ("yes", GREEN)}


def _rate(field: str, alias: str) -> Query:
    return every(f'non_negative_derivative(max("{field}"), 1m)', "pipeline", [], _BY,
                 f"{alias} $tag_worker", "none")


INGEST = (
    Panel(kind="timeseries", title="Messages a minute", unit="none", width=16,
          about="Received, stored and quarantined, by worker. Received and stored lie upon one "
                "another while all is well.",
          queries=[_rate("received_total", "received"), _rate("stored_total", "stored"),
                   _rate("quarantined_total", "quarantined")]),
    Panel(kind="state-timeline", title="Connected, store open, balanced", unit="none", width=8,
          about="Balanced: received = stored + journalled + quarantined + in flight.", states=_YES,
          queries=[every(f'min("{field}")', "pipeline", [], _BY, f"{name} $tag_worker")
                   for field, name in (("connected", "connected"), ("store_open", "store open"),
                                       ("balanced", "balanced"))]),
    Panel(kind="timeseries", title="Lag", unit="s", interval="2m",
          about="Age of the newest reading of each kind of device when it is looked for: what lies "
                "between a device and the store.",
          queries=[every('min("age_s")', "device_health", [SITE], ["kind"])]),
    Panel(kind="timeseries", title="Oldest unacknowledged", unit="s",
          about="How far ingest is behind the broker: highest of each interval.",
          steps=((None, GREEN), (30, YELLOW), (120, RED)),
          queries=[every('max("oldest_unacknowledged_s")', "pipeline", [], _BY)]),
    Panel(kind="timeseries", title="Journalled", unit="none",
          about="Messages on ingest's own disk while the store cannot take them.",
          queries=[every('max("journalled")', "pipeline", [], _BY)]),
    Panel(kind="timeseries", title="Journal fill", unit="percent", low=0, high=100,
          about="At 100 nothing more is acknowledged, and gateways keep their readings.",
          steps=((None, GREEN), (50, YELLOW), (80, RED)),
          queries=[every('max("journal_fill_pct")', "pipeline", [], _BY)]),
    Panel(kind="timeseries", title="Queue", unit="none", width=24,
          about="Messages waiting to be decoded, highest of each interval.",
          queries=[every('max("queue_messages")', "pipeline", [], _BY)]),
)

REFUSED = (
    Panel(kind="timeseries", title="Quarantine by rule", unit="none",
          about="Messages kept with a refused record, by the rule that refused it. "
                "`seatwatt quarantine list` shows them.",
          queries=[every('last("messages")', "quarantine", [], ["rule"])]),
    Panel(kind="stat", title="Quarantined in the range", unit="none", decimals=0,
          about="Messages that went to quarantine, by worker.", height=8, width=6,
          steps=((None, GREEN), (1, YELLOW), (100, RED)),
          queries=[Query(risen("quarantined_total", "pipeline", _BY), "$tag_worker")]),
    Panel(kind="stat", title="Dropped by the broker", unit="none", decimals=0, width=6,
          about="Messages that the broker says it dropped since it began, of any client.",
          steps=((None, GREEN), (1, RED)),
          queries=[total('max("broker_dropped_total")', "pipeline", [], _BY)]),
)

EDGE = (
    Panel(kind="table", title="Devices by age", unit="s", width=24, height=10,
          about="Age of each device's last reading, and 1 where it is silent. The oldest is where "
                "to begin.", steps=((None, GREEN), (300, ORANGE), (3600, RED)),
          link=("Device", to_board("sw-devices", "site", of_row=("zone", "device"))),
          queries=[total('last("age_s") AS "age_s", last("silent") AS "silent"', "device_health",
                         [SITE], ["kind", "zone", "device"], table=True)],
          units={"silent": "none"}, time_from="10m",
          transformations=[
              ("organize", {"excludeByName": {"Time": True},
                            "indexByName": {"kind": 0, "zone": 1, "device": 2, "age_s": 3,
                                            "silent": 4}}),
              ("sortBy", {"fields": {}, "sort": [{"field": "age_s", "desc": True}]})]),
    Panel(kind="timeseries", title="Gateway spools", unit="none",
          about="Messages that a gateway keeps until ingest has a receipt for them.",
          queries=[every('max("spool_messages")', "gateway", [SITE], ["zone", "device"])]),
    Panel(kind="timeseries", title="Dropped at gateways", unit="none",
          about="Messages that a full spool has let go, since the gateway started.",
          steps=((None, GREY), (1, RED)),
          queries=[every('max("spool_dropped")', "gateway", [SITE], ["zone", "device"])]),
    Panel(kind="timeseries", title="Clock offset of gateways", unit="s", width=24,
          about="How far a gateway's clock is off: readings carry its time.",
          queries=[every('max("clock_offset_s")', "gateway", [SITE], ["zone", "device"])]),
)

BOARD = Board(
    uid="sw-pipeline", folder="Pipeline", title="Pipeline", variables=("site",), from_="now-6h",
    question="Does every reading arrive?",
    rows=(("Ingest", INGEST), ("Refused", REFUSED), ("At the edge", EDGE)))
