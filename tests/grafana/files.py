"""The committed files, as tests read them: dashboards, their queries, alert rules."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.shared import ROOT

GRAFANA = ROOT / "grafana"
Json = dict[str, Any]


@cache
def dashboards() -> dict[Path, Json]:
    return {path: json.loads(path.read_text())
            for path in sorted((GRAFANA / "dashboards").rglob("*.json"))}


def panels(dashboard: Json) -> list[Json]:
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


@dataclass(frozen=True)
class Target:
    """One query and where it stands."""

    where: str
    query: str
    dashboard: Json
    panel: Json
    target: Json


def targets() -> Iterator[Target]:
    for dashboard in dashboards().values():
        for panel in panels(dashboard):
            for target in panel["targets"]:
                yield Target(f"{dashboard['uid']}: {panel['title']} {target['refId']}",
                             target["query"], dashboard, panel, target)


def annotations() -> Iterator[tuple[str, str]]:
    for dashboard in dashboards().values():
        for annotation in dashboard["annotations"]["list"]:
            yield f"{dashboard['uid']}: {annotation['name']}", annotation["target"]["query"]


def variables() -> Iterator[tuple[str, str]]:
    for dashboard in dashboards().values():
        for variable in dashboard["templating"]["list"]:
            if variable["type"] == "query":
                yield f"{dashboard['uid']}: ${variable['name']}", variable["query"]


@cache
def provisioning(folder: str) -> list[Json]:
    return [yaml.safe_load(path.read_text())
            for path in sorted((GRAFANA / "provisioning" / folder).glob("*.yaml"))]


def alert_rules() -> list[Json]:
    return [rule | {"group": group["name"], "folder": group["folder"]}
            for document in provisioning("alerting") for group in document.get("groups", [])
            for rule in group["rules"]]


def alert_queries() -> Iterator[tuple[str, str]]:
    for rule in alert_rules():
        for part in rule["data"]:
            if "query" in part["model"]:
                yield f"{rule['uid']} {part['refId']}", part["model"]["query"]


def every_query() -> dict[str, str]:
    """All InfluxQL that is committed, by where it stands."""
    return {**{each.where: each.query for each in targets()}, **dict(annotations()),
            **dict(variables()), **dict(alert_queries())}
