"""The committed files against their generator, the contract, and what Grafana accepts."""

import json
import re
import urllib.parse
from collections.abc import Mapping
from pathlib import Path

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.generate import generated
from seatwatt.contract.derived import DERIVED
from seatwatt.contract.quantities import QUANTITIES
from seatwatt.ingest import metrics
from tests.grafana.files import (
    GRAFANA,
    Json,
    alert_queries,
    alert_rules,
    annotations,
    dashboards,
    every_query,
    panels,
    provisioning,
    targets,
)
from tests.grafana.interpolation import as_ms
from tests.shared import ROOT

QUERIES = every_query()
ALERTS = dict(alert_queries())
# Ids of Grafana 13's value formats; `suffix:` is free text.
UNITS = {"none", "watt", "kwatth", "watth", "volt", "amp", "hertz", "percent", "s", "ms", "h",
         "celsius", "voltamp"}
READING_TAGS = ("site", "zone", "device")


def anchors(page: Path) -> set[str]:
    """The anchors of a Markdown page's headings, as viewers make them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_what_is_committed_is_what_the_generator_writes() -> None:
    committed = {path.relative_to(GRAFANA): path.read_text()
                 for folder in ("dashboards", "provisioning")
                 for path in (GRAFANA / folder).rglob("*") if path.is_file()}
    assert committed == generated(), "make dashboards"


def test_uids_never_change() -> None:
    uids = [f"datasource {source['uid']}" for document in provisioning("datasources")
            for source in document["datasources"]]
    uids += [f"dashboard {board['uid']}" for board in dashboards().values()]
    uids += [f"rule {rule['uid']}" for rule in alert_rules()]
    uids += [f"receiver {receiver['uid']}" for document in provisioning("alerting")
             for point in document.get("contactPoints", []) for receiver in point["receivers"]]
    assert (GRAFANA / "uids.txt").read_text().splitlines() == sorted(uids)
    assert len(set(uids)) == len(uids)
    assert all(re.fullmatch(r"\w+ [A-Za-z0-9_-]{1,40}", uid) for uid in uids)


@pytest.mark.parametrize("path", list(dashboards()), ids=lambda path: path.stem)
def test_each_dashboard_is_what_file_provisioning_takes(path: Path) -> None:
    board = dashboards()[path]
    assert board["schemaVersion"] == 42
    assert board["editable"] is False
    assert not {"id", "__inputs", "elements", "layout"} & set(board)
    assert path.stem == board["uid"]
    assert board["templating"]["list"][0]["type"] == "datasource"
    assert all(each.get("refresh") == 2 for each in board["templating"]["list"]
               if each["type"] == "query")
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("path", list(dashboards()), ids=lambda path: path.stem)
def test_grafanas_models_know_every_key(path: Path) -> None:
    """Read and written again by Grafana's own models, nothing is lost: they drop what they do not
    know. Panels' options and queries are plain there; ours are checked elsewhere."""
    board = dashboards()[path]
    assert lost(board, by_models(board)) == []
    panel = {**board["panels"][1], "tittle": "misspelt"}
    wrong = {**board, "panels": [board["panels"][0], panel, *board["panels"][2:]]}
    assert lost(wrong, by_models(wrong)) == [".panels[1].tittle"]


def by_models(board: Json) -> Json:
    again: Json = json.loads(JSONEncoder().encode(Dashboard.from_json(board)))
    return again


def lost(ours: object, theirs: object, where: str = "") -> list[str]:
    """Paths that are in `ours` with another value than in `theirs`, or not there."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return [path for key, value in ours.items()
                for path in lost(value, theirs.get(key), f"{where}.{key}")]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        return [path for number, (one, other) in enumerate(zip(ours, theirs, strict=True))
                for path in lost(one, other, f"{where}[{number}]")]
    return [] if ours == theirs else [where]


def test_titles_are_unique_in_each_folder() -> None:
    titles = [(path.parent.name, board["title"]) for path, board in dashboards().items()]
    assert len(set(titles)) == len(titles)
    rules = [(rule["folder"], rule["title"]) for rule in alert_rules()]
    assert len(set(rules)) == len(rules)
    assert {folder for folder, _ in rules} <= {folder for folder, _ in titles}


@pytest.mark.parametrize("board", list(dashboards().values()), ids=lambda board: board["uid"])
def test_each_panel_says_what_it_shows(board: Json) -> None:
    for panel in panels(board):
        defaults = panel["fieldConfig"]["defaults"]
        assert panel["title"], panel
        assert len(panel["description"]) > 15, panel["title"]
        assert defaults["noValue"] == "no data"
        assert defaults["unit"] in UNITS or defaults["unit"].startswith("suffix:"), defaults
        assert panel["datasource"] == {"type": "influxdb", "uid": "${datasource}"}
        assert panel["targets"]
        assert defaults["thresholds"]["steps"][0]["value"] is None


@pytest.mark.parametrize("board", list(dashboards().values()), ids=lambda board: board["uid"])
def test_panels_do_not_lie_upon_one_another(board: Json) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        grid = panel["gridPos"]
        cells = {(x, y) for x in range(grid["x"], grid["x"] + grid["w"])
                 for y in range(grid["y"], grid["y"] + grid["h"])}
        assert not cells & taken, panel["title"]
        assert grid["x"] + grid["w"] <= 24
        taken |= cells


@pytest.mark.parametrize("where", list(QUERIES))
def test_each_query_is_of_the_kind_that_is_right(where: str) -> None:
    query = QUERIES[where]
    assert ";" not in query
    assert not re.search(r"\bOR\b", query)
    if query.startswith("SHOW"):
        return
    assert query.count("$timeFilter") == query.count("FROM \"") + query.count("FROM (")
    for inner in re.findall(r"\((SELECT .*?)\) WHERE", query):
        assert not re.search(r"fill\((0|previous)\)", inner)
    assert not re.search(r"time\(\d+[dw]\)", query), "a day begins at local midnight: jobs write it"


@pytest.mark.parametrize("where", list(QUERIES))
def test_variables_stand_in_a_regex_only(where: str) -> None:
    query = QUERIES[where]
    rightly = re.sub(r'"\w+" =~ /\^\$\{\w+:regex\}\$/', "", query)
    assert not re.search(r"\$(?!timeFilter|__interval)", rightly), query
    if where in ALERTS:
        assert rightly == query, "alerts know no variables"


@pytest.mark.parametrize("board", list(dashboards().values()), ids=lambda board: board["uid"])
def test_each_variable_is_offered(board: Json) -> None:
    offered = {each["name"] for each in board["templating"]["list"]}
    text = json.dumps([panel["targets"] for panel in panels(board)])
    used = set(re.findall(r"\$\{(\w+):regex\}", text)) | {"site"}
    assert used <= offered
    assert offered - used <= {"datasource", "zone"}


@pytest.mark.parametrize("where", list(QUERIES))
def test_each_name_is_in_the_contract(where: str) -> None:
    query = QUERIES[where]
    [measurement] = re.findall(r'FROM "(\w+)"', query)
    aliases = set(re.findall(r'AS "(\w+)"', query))
    used = set(re.findall(r'"(\w+)"', query)) - {measurement} - aliases
    if query.startswith("SHOW"):
        assert set(re.findall(r'KEY = "(\w+)"', query)) <= used
    starred = {f"/^{name.replace('*', '.*')}/" for name in DERIVED[measurement].fields
               if "*" in name} if measurement in DERIVED else set()
    assert set(re.findall(r"/\^\w+_\.\*\w+/", query)) <= starred
    if measurement in DERIVED:
        table = DERIVED[measurement]
        unknown = {name for name in used if name not in table.tags and not table.has_field(name)}
    else:
        fields = {q.field for (kind, _), q in QUANTITIES.items() if kind == measurement}
        assert fields, f"{measurement} is no measurement"
        unknown = used - fields - set(READING_TAGS)
    assert not unknown, f"{measurement}: {unknown}"


def test_who_sat_where_is_told_of_one_seat_at_a_time() -> None:
    """Occupancy of a seat is about a person: a drill-down, of what somebody asked for by name."""
    told = [each for each in targets()
            if re.search(r'FROM "seat" ', each.query) and '"occupied"' in each.query]
    assert {each.dashboard["uid"] for each in told} == {"sw-devices"}
    for each in told:
        chosen = {one["name"]: one for one in each.dashboard["templating"]["list"]}
        for name in ("site", "zone", "device"):
            assert f"${{{name}:regex}}" in each.query
            assert not chosen[name]["multi"], name
            assert not chosen[name]["includeAll"], name


def test_a_dashboard_offers_what_it_has_something_to_say_of() -> None:
    """Of hundreds of seats and a handful of UPSs, the UPS dashboard lists UPSs."""
    from_ = {board["uid"]: {one["name"]: re.findall(r'FROM "(\w+)"', one["query"])[0]
                            for one in board["templating"]["list"] if one["type"] == "query"}
             for board in dashboards().values()}
    assert from_["sw-ups"]["device"] == from_["sw-ups"]["zone"] == "ups"
    assert from_["sw-seats"]["zone"] == "zone_occupancy"


@pytest.mark.parametrize("board", list(dashboards().values()), ids=lambda board: board["uid"])
def test_a_line_is_drawn_through_readings_that_are_rarer_than_pixels(board: Json) -> None:
    """A plug that speaks every five minutes, a site settled by the hour: between their values lie
    empty intervals, and neither a line nor a state would be drawn of lone ones. A gap remains."""
    for panel in panels(board):
        custom = panel["fieldConfig"]["defaults"]["custom"]
        if panel["type"] in ("timeseries", "state-timeline"):
            hourly = panel["interval"] == "30m"
            span_ms = custom["spanNulls"]
            assert span_ms is not True
            assert (2 if hourly else 0.25) * 3_600_000 <= span_ms <= 86_400_000, panel["title"]
        if panel["type"] == "timeseries":
            assert custom["showPoints"] == "auto"


def test_months_are_shown_to_whoever_looks_from_another_time_zone() -> None:
    """A month's point stands at the site's midnight, up to a day before the viewer's own."""
    [board] = [each for each in dashboards().values() if each["uid"] == "sw-tenants"]
    assert board["time"]["from"] == "now-1M/M-1d"


def test_annotations_of_rules_hold_nothing_that_grafana_fills_in() -> None:
    """Newer ones expand `${NAME}` there, older ones do not."""
    assert not [rule["uid"] for rule in alert_rules()
                if "${" in json.dumps(rule["annotations"])]


def test_a_series_by_tags_has_a_name() -> None:
    for each in targets():
        if each.target["resultFormat"] == "time_series":
            groups = each.query.rpartition(" GROUP BY ")[2] if " GROUP BY " in each.query else ""
            tags = set(re.findall(r'"(\w+)"', groups))
            named = set(re.findall(r"\$tag_(\w+)", each.target["alias"]))
            assert each.target["alias"], each.where
            # A single site's value needs no tag in its name.
            assert named == tags or tags == {"site"}, each.where


def test_the_pipelines_fields_are_what_ingest_writes() -> None:
    assert set(DERIVED["pipeline"].fields) == set(metrics._HELP)


def test_rules_hold_together() -> None:
    boards = {board["uid"]: board for board in dashboards().values()}
    for rule in alert_rules():
        refs = [part["refId"] for part in rule["data"]]
        assert len(set(refs)) == len(refs)
        assert rule["condition"] in refs
        known = {panel["id"]: panel for panel in panels(boards[rule["dashboardUid"]])}
        assert rule["panelId"] in known, rule["uid"]
        assert rule["annotations"]["__panelId__"] == str(rule["panelId"])
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert "$" not in json.dumps(rule["labels"]) + rule["title"] + rule["uid"]
        for part in rule["data"]:
            if "query" in part["model"]:
                assert part["datasourceUid"] == "seatwatt-influxdb"
                assert part["model"]["intervalMs"] >= 60_000
                assert part["model"]["resultFormat"] == "time_series"


def test_long_looks_back_are_rare() -> None:
    """Hours of every meter's raw readings, each minute, would be most of what InfluxDB does."""
    every = {group["name"]: as_ms(group["interval"]) for document in provisioning("alerting")
             for group in document.get("groups", [])}
    for rule in alert_rules():
        pending_ms = as_ms(rule["for"])
        assert pending_ms % every[rule["group"]] == 0, rule["uid"]
        for part in rule["data"]:
            raw = any(f'FROM "{name}"' in part["model"].get("query", "")
                      for name in ("meter", "seat", "ups"))
            if raw and part["relativeTimeRange"]["from"] > 3600:
                assert every[rule["group"]] >= 600_000, rule["uid"]


@pytest.mark.parametrize("rule", alert_rules(), ids=lambda rule: rule["uid"])
def test_each_alert_has_its_runbook(rule: Json) -> None:
    page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    assert anchor in anchors(ROOT / page)


def expanded(text: str, known: Mapping[str, str]) -> str:
    """As Grafana fills provisioning files: what is not set is empty, and no error."""
    return re.sub(r"\$\{(\w+)\}", lambda match: known.get(match[1], ""), text)


@pytest.mark.parametrize(("known", "email", "url"), [
    ({}, [], ""),
    ({"ALERT_EMAIL": "a@b.example"}, ["a@b.example"], ""),
    ({"ALERT_EMAIL": "a@b.example;c@d.example", "ALERT_WEBHOOK_URL": "https://hook.example/x?y=1"},
     ["a@b.example", "c@d.example"], "https://hook.example/x?y=1")])
def test_contact_points_are_accepted_whether_or_not_they_are_set(
        known: dict[str, str], email: list[str], url: str) -> None:
    [point] = [point for document in provisioning("alerting")
               for point in document.get("contactPoints", [])]
    settings = {one["type"]: one["settings"] for one in point["receivers"]}
    assert set(settings) == {"email", "webhook"}
    addresses = expanded(settings["email"]["addresses"], known)
    target = expanded(settings["webhook"]["url"], known)
    # Grafana does not start with one that is empty.
    assert addresses
    assert target
    assert [one for one in re.split("[,;\n]", addresses) if one] == email
    assert urllib.parse.urldefrag(target).url == url


def test_annotations_name_columns_that_do_not_contain_each_other() -> None:
    for board in dashboards().values():
        for each in board["annotations"]["list"]:
            names = [each["target"][key] for key in ("textColumn", "tagsColumn", "timeEndColumn")]
            assert all(f'"{name}"' in each["target"]["query"] for name in names)
            assert not any(a in b for a in names for b in names if a != b)
    assert len(list(annotations())) == 4 * len(dashboards())


def test_a_click_that_leads_to_a_device_says_where_it_is() -> None:
    """The drill-down shows one: the first of hundreds is nobody's question."""
    for board in dashboards().values():
        for panel in panels(board):
            for link in panel["fieldConfig"]["defaults"].get("links", []):
                assert "/d/sw-devices" not in link["url"] or "var-zone=" in link["url"], link


def test_links_lead_to_dashboards_and_keep_the_time() -> None:
    boards = {board["uid"]: board for board in dashboards().values()}
    led = set()
    for board in boards.values():
        assert board["links"][0]["includeVars"]
        assert board["links"][0]["keepTime"]
        for panel in panels(board):
            for link in panel["fieldConfig"]["defaults"].get("links", []):
                uid, _, kept = link["url"].removeprefix("/d/").partition("?")
                assert kept.endswith("${__url_time_range}")
                offered = {each["name"] for each in boards[uid]["templating"]["list"]}
                assert set(re.findall(r"var-(\w+)=", kept)) <= offered, link
                assert set(re.findall(r"\$\{(\w+):queryparam", kept)) <= offered, link
                led.add(uid)
    assert led == set(boards) - {"sw-overview"}
