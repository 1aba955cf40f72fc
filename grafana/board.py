"""Dashboards: variables, annotations, links to one another, and panels laid out in rows."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard

from grafana.influxql import SITE, ZONE
from grafana.panels import Json, Panel, built

TAG = "seatwatt"
_SOURCE = {"type": "influxdb", "uid": "${datasource}"}
KINDS = {"outage": "red", "exchange": "blue", "tariff": "purple", "maintenance": "orange"}

VARIABLES: dict[str, tuple[str, str]] = {
    "site": ("Site", 'SHOW TAG VALUES FROM "device_health" WITH KEY = "site"'),
    "zone": ("Zone", f'SHOW TAG VALUES FROM "{{of}}" WITH KEY = "zone" WHERE {SITE}'),
    "tenant": ("Tenant", f'SHOW TAG VALUES FROM "tenant_energy" WITH KEY = "tenant" WHERE {SITE}'),
    "device": ("Device", 'SHOW TAG VALUES FROM "{of}" WITH KEY = "device" '
                         f"WHERE {SITE} AND {ZONE}"),
}
"""Name -> label, query; `{of}` is the dashboard's measurement."""

CHOICES = {
    "hour": ("Hours", [f"{hour:02}" for hour in range(24)],
             [f"{hour:02}" for hour in range(9, 18)]),
    "weekday": ("Weekdays", ["1-mon", "2-tue", "3-wed", "4-thu", "5-fri", "6-sat", "7-sun"],
                ["1-mon", "2-tue", "3-wed", "4-thu", "5-fri"]),
}
"""Name -> label, choices, chosen at first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One dashboard: one question."""

    uid: str
    folder: str
    title: str
    question: str
    variables: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Panel]]]
    """Title of the row, its panels."""
    from_: str = "now-24h"
    of: str = "device_health"
    """The measurement whose zones and devices are offered."""
    one: bool = False
    """Whether one zone and device is shown at a time, and not several or all."""


def dashboard_json(board: Board) -> Json:
    """The dashboard as Grafana's classic JSON."""
    maker = builders.Dashboard(board.title)
    maker.uid(board.uid).description(board.question).tags([TAG]).timezone("browser")
    maker.refresh("1m").time(board.from_, "now").readonly().version(1)
    maker.tooltip(dashboard.DashboardCursorSync.CROSSHAIR).week_start("monday")
    number = 0
    for title, panels in board.rows:
        maker.with_row(builders.Row(title))
        for panel in panels:
            number += 1
            maker.with_panel(built(panel, number))
    document: Json = _plain(maker.build())
    for row, panel in enumerate(p for p in document["panels"] if p["type"] == "row"):
        panel["id"] = 100 + row
    document["templating"] = {"list": _variables(board)}
    document["annotations"] = {"list": _annotations()}
    document["links"] = [_link()]
    return document


def _plain(model: Any) -> Json:
    plain: Json = json.loads(JSONEncoder(sort_keys=True).encode(model))
    return plain


def _variables(board: Board) -> list[Json]:
    source: Json = {"type": "datasource", "name": "datasource", "label": "Data source",
                    "query": "influxdb", "hide": 0, "refresh": 1}
    return [source, *(_choice(name) if name in CHOICES else _query(name, board)
                      for name in board.variables)]


def _query(name: str, board: Board) -> Json:
    label, query = VARIABLES[name]
    several = name != "site" and not board.one
    return {"type": "query", "name": name, "label": label, "datasource": _SOURCE,
            "query": query.replace("{of}", board.of), "refresh": 2, "sort": 1, "hide": 0,
            "multi": several, "includeAll": several}


def _choice(name: str) -> Json:
    label, values, chosen = CHOICES[name]
    return {"type": "custom", "name": name, "label": label, "query": ",".join(values), "hide": 0,
            "multi": True, "includeAll": True,
            "current": {"selected": True, "text": chosen, "value": chosen},
            "options": [{"text": value, "value": value, "selected": value in chosen}
                        for value in values]}


def _annotations() -> list[Json]:
    return [{"name": f"{kind}s".capitalize() if kind != "maintenance" else "Maintenance",
             "enable": True, "iconColor": colour, "datasource": _SOURCE,
             "target": {"refId": "Anno", "fromAnnotations": True, "queryType": "tags",
                        "name": kind, "textColumn": "title", "tagsColumn": "tags",
                        "timeEndColumn": "end_ms", "titleColumn": "",
                        "query": 'SELECT "title", "tags", "end_ms" FROM "events" '
                                 f"WHERE \"kind\" = '{kind}' AND {SITE} AND $timeFilter"}}
            for kind, colour in KINDS.items()]


def _link() -> Json:
    return {"type": "dashboards", "title": "Seatwatt", "tags": [TAG], "asDropdown": True,
            "includeVars": True, "keepTime": True, "targetBlank": False, "icon": "external link",
            "tooltip": "the other dashboards, for the same site and time", "url": ""}


def to_board(uid: str, *variables: str, of_series: tuple[str, ...] = (),
             of_row: tuple[str, ...] = ()) -> str:
    """The address of another dashboard. The time and these variables are kept; what is clicked
    gives others: the labels of a series, or the columns of a table's row."""
    kept = [f"${{{name}:queryparam}}" for name in variables]
    kept += [f"var-{name}=${{__field.labels.{name}:percentencode}}" for name in of_series]
    kept += [f'var-{name}=${{__data.fields["{name}"]:percentencode}}' for name in of_row]
    return f"/d/{uid}?{'&'.join([*kept, '${__url_time_range}'])}"
