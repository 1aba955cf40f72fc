"""Alert rules, contact point and notification policy, as Grafana's provisioning files.

Grafana expands `$NAME` in every value here but annotations and query models: labels hold none.
"""

from pathlib import Path
from typing import Any

from grafana.boards import BOARDS
from grafana.influxql import DATASOURCE_UID
from grafana.rules import RULES, Rule
from grafana.sources import as_yaml

FOLDERS = {"ups": "Power", "electricity": "Power", "registers": "Power", "devices": "Site",
           "pipeline": "Pipeline"}
RARE = {"registers": "10m"}
"""Groups that look hours back, and how often."""
_EXPRESSION = {"type": "__expr__", "uid": "__expr__"}


def alerting_files() -> dict[Path, str]:
    """Rules by group, contact point, policy."""
    folder = Path("provisioning") / "alerting"
    groups = {f"rules-{group}.yaml": {"apiVersion": 1, "groups": [_group(group)]}
              for group in FOLDERS}
    files = {"contact-points.yaml": _contact_points(), "policies.yaml": _policies()} | groups
    return {folder / name: as_yaml(document) for name, document in files.items()}


def _group(name: str) -> dict[str, Any]:
    return {"orgId": 1, "name": name, "folder": FOLDERS[name],
            "interval": RARE.get(name, "1m"),
            "rules": [_rule(rule) for rule in RULES if rule.group == name]}


def _rule(rule: Rule) -> dict[str, Any]:
    uid, panel = rule.panel[0], _panel_id(*rule.panel)
    domain = "power" if FOLDERS[rule.group] == "Power" else rule.group
    return {
        "uid": rule.uid, "title": rule.title, "condition": "C", "for": rule.pending,
        "noDataState": rule.no_data, "execErrState": rule.on_error,
        "missing_series_evals_to_resolve": rule.missing, "isPaused": False,
        "dashboardUid": uid, "panelId": panel,
        "labels": {"severity": rule.severity, "domain": domain},
        "annotations": {"__dashboardUid__": uid, "__panelId__": str(panel),
                        "summary": rule.summary, "runbook_url": f"docs/runbooks/{rule.runbook}"},
        "data": _data(rule)}


def _panel_id(uid: str, title: str) -> int:
    """As `board.py` numbers them: in order, from 1."""
    board = next(board for board in BOARDS if board.uid == uid)
    titles = [panel.title for _, panels in board.rows for panel in panels]
    return titles.index(title) + 1


def _data(rule: Rule) -> list[dict[str, Any]]:
    data = []
    for ref, query, reducer in zip("AB", rule.queries, rule.reducers, strict=False):
        data += [_query(ref, query, rule.over_s), _reduce(f"R{ref}", ref, reducer)]
    last = "RA"
    if rule.math:
        last = "M"
        data.append(_expression("M", {"type": "math", "expression": rule.math}))
    data.append(_expression("C", {"type": "threshold", "expression": last, "conditions": [
        {"evaluator": {"type": rule.test, "params": list(rule.limits)}}]}))
    return data


def _query(ref: str, query: str, over_s: int) -> dict[str, Any]:
    return {"refId": ref, "datasourceUid": DATASOURCE_UID,
            "relativeTimeRange": {"from": over_s, "to": 0},
            "model": {"refId": ref, "datasource": {"type": "influxdb", "uid": DATASOURCE_UID},
                      "rawQuery": True, "resultFormat": "time_series", "query": query,
                      "intervalMs": 60000, "maxDataPoints": 43200}}


def _reduce(ref: str, of: str, reducer: str) -> dict[str, Any]:
    return _expression(ref, {"type": "reduce", "expression": of, "reducer": reducer,
                             "settings": {"mode": "dropNN"}})


def _expression(ref: str, model: dict[str, Any]) -> dict[str, Any]:
    return {"refId": ref, "datasourceUid": "__expr__",
            "model": {"refId": ref, "datasource": dict(_EXPRESSION)} | model}


def _contact_points() -> dict[str, Any]:
    """A receiver whose address is empty keeps Grafana from starting, and a variable that is not set
    is empty: hence the separator after the addresses, which nobody is, and the fragment after the
    URL, which is never sent."""
    return {"apiVersion": 1, "contactPoints": [{"orgId": 1, "name": "facility", "receivers": [
        {"uid": "sw-facility-email", "type": "email",
         "settings": {"addresses": "${ALERT_EMAIL};", "singleEmail": True}},
        {"uid": "sw-facility-webhook", "type": "webhook",
         "settings": {"url": "${ALERT_WEBHOOK_URL}#seatwatt", "httpMethod": "POST"}}]}]}


def _policies() -> dict[str, Any]:
    """A site's power and its devices are one message, whatever number of rules a load-shedding
    trips and whatever falls silent in it. It is told again soon after something joins it: a UPS
    that says its battery is low has minutes."""
    return {"apiVersion": 1, "policies": [{
        "orgId": 1, "receiver": "facility", "group_by": ["grafana_folder", "alertname", "site"],
        "group_wait": "30s", "group_interval": "5m", "repeat_interval": "12h",
        "routes": [
            {"receiver": "facility", "object_matchers": [["domain", "=~", "power|devices"]],
             "group_by": ["site"], "group_wait": "1m", "group_interval": "2m",
             "repeat_interval": "12h"},
            {"receiver": "facility", "object_matchers": [["severity", "=", "critical"]],
             "group_wait": "10s", "repeat_interval": "4h"}]}]}
