"""End to end without containers: simulated devices in their own protocols, the gateway over TLS,
ingest, InfluxDB, the jobs, and on what arrived every query that Grafana is given, as its user."""

import gzip
import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import yaml

from tests.deploy.stack import Stack, query, running, wait
from tests.grafana.files import (
    Target,
    alert_queries,
    annotations,
    provisioning,
    targets,
    variables,
)
from tests.grafana.influx import ask
from tests.grafana.interpolation import interval_ms, with_times, with_variables
from tests.servers import program
from tests.services.gateway_kit import SITE
from tests.shared import ROOT

# Ten processes and a dozen commands start, on a machine that may be busy.
pytestmark = pytest.mark.timeout(1200)

SITE_ID = "workaround"
GENERATOR = "  plant/generator: {source: generator, max_power_w: 50000}\n"
MORE = """\
sanctioned_load_w: 20000
bands: {peak: [{from: "18:00", to: "22:00"}]}
"""
NOT_HERE = {
    # Nothing was exchanged, nobody counts people, and there is no solar plant.
    "Exchanges", "People in a room $tag_zone $tag_device", "Source solar", "Load by source solar",
    "Daily energy by source solar",
    # It draws less than the kilowatt from which a power factor counts.
    "sw-power-factor A",
}
COUNT = 'SELECT count("energy_import_wh") FROM "meter"'


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A small site of the demonstration's name with two days of history, live devices and the
    gateway behind the broker's door for gateways."""
    for name in ("upsd", "snmpd", "influxd"):
        program(name)
    folder = tmp_path_factory.mktemp("stack")
    site = folder / "site.yaml"
    site.write_text(SITE.replace("two-tenants", SITE_ID).replace(
        "  plant/main:", f"{GENERATOR}  plant/main:") + MORE)
    with running(folder, {"examples/workaround.yaml": str(site)}) as made:
        _past(made, site)
        made.start("demo-devices")
        wait("the gateway's configuration",
             (folder / "volumes/demo-devices/gateway.yaml").exists, made)
        since_ms = time.time_ns() // 1_000_000
        made.start("demo-gateway")
        for kind in ("meter", "ups", "uplink", "gateway", "seat", "room"):
            wait(f"a {kind}'s reading", partial(_heard, made, kind, since_ms), made)
        # Jobs run at once when the API starts, so they find what is there by now.
        made.start("api")
        wait("the jobs", lambda: _jobs_are_done(made), made)
        yield made


def _past(stack: Stack, site: Path) -> None:
    """The last two days, a tariff, maintenance, and a message that is refused."""
    now = datetime.now(UTC)  # noqa: TID251 - devices and services live by the real clock
    assert stack.run("demo-site")
    tariff = yaml.safe_load((ROOT / "examples/tariff-a2c-2026-02.yaml").read_text())
    paper = stack.folder / "tariff.yaml"
    tariff["from"] = now.date().replace(day=1)
    paper.write_text(yaml.safe_dump(tariff, default_flow_style=None))
    stack.run("api", "bill", "add", str(paper), "--site", SITE_ID)
    stack.run("api", "event", SITE_ID, (now - timedelta(hours=2)).isoformat(timespec="seconds"),
              (now - timedelta(hours=1)).isoformat(timespec="seconds"), "board B off")
    recording = stack.folder / "past.ndjson.gz"
    stack.run("api", "simulate", "--site", str(site), "--since", f"{now:%Y}-01-01",
              "--from", f"{now - timedelta(days=2):%Y-%m-%d}",
              "--to", now.isoformat(timespec="seconds"), "--every", "120", "--pack", "300",
              "--out", str(recording))
    # The simulated grid meter tells an export register too, which the history has not.
    times = range(round(now.timestamp()) // 600 * 600 - 3 * 86_400, round(now.timestamp()), 600)
    with gzip.open(recording, "at") as more:
        more.writelines(json.dumps(
            {"received_at": now.isoformat(), "topic": f"seatwatt/v1/{SITE_ID}/{device}",
             "payload": payload}) + "\n" for device, payload in (
                 ("meter/plant/grid", [{"bn": "meter/plant/grid/", "n": "energy_export", "u": "Wh",
                                        "v": 0, "t": at} for at in times]),
                 ("seat/hall-a/001", [{"n": "power"}])))
    stack.run("api", "replay", str(recording), "--speed", "max")
    wait("the history", lambda: '"values"' in _read(stack, COUNT), stack)


def _read(stack: Stack, text: str) -> str:
    return query(stack.influx_port, text, "grafana", stack.env["INFLUXDB_READ_PASSWORD"],
                 "seatwatt")


def _heard(stack: Stack, kind: str, since_ms: int) -> bool:
    """Whether a reading was taken since then, which only the gateway can have sent."""
    return '"values"' in _read(stack, f'SELECT * FROM "{kind}" WHERE time > {since_ms}ms LIMIT 1')


def _jobs_are_done(stack: Stack) -> bool:
    key = re.search(r"operator key, shown this once: (\S+)", stack.log("api"))
    if key is None:
        return False
    try:
        jobs = _get(stack, "/jobs", key[1])["jobs"]
    except OSError:
        # Not listening yet; had it ended, whoever waits would see that.
        return False
    assert isinstance(jobs, list)
    assert not [job for job in jobs if job["status"] == "failed"], jobs
    return all(job["status"] == "ok" for job in jobs)


def _get(stack: Stack, path: str, key: str) -> dict[str, object]:
    request = urllib.request.Request(f"http://127.0.0.1:{stack.api_port}/v1{path}",
                                     headers={"X-API-Key": key})
    with urllib.request.urlopen(request, timeout=20) as answer:
        found: dict[str, object] = json.load(answer)
        return found


@pytest.fixture(scope="module")
def grafana(stack: Stack) -> tuple[int, str, tuple[str, str]]:
    """Port, database and login of the provisioned data source, from the compose file's
    environment of Grafana."""
    given = stack.environment("grafana")
    [source] = provisioning("datasources")[0]["datasources"]

    def filled(text: str) -> str:
        return re.sub(r"\$\{(\w+)\}", lambda match: given[match[1]], text)

    url = filled(source["url"])
    assert url == f"http://127.0.0.1:{stack.influx_port}"
    return (stack.influx_port, filled(source["jsonData"]["dbName"]),
            (filled(source["user"]), filled(source["secureJsonData"]["password"])))


@pytest.fixture(scope="module")
def chosen(grafana: tuple[int, str, tuple[str, str]]) -> dict[str, list[str]]:
    """What the variables of the dashboards offer, everything chosen."""
    port, database, login = grafana
    values = {"hour": [f"{hour:02}" for hour in range(24)],
              "weekday": ["1-mon", "2-tue", "3-wed", "4-thu", "5-fri", "6-sat", "7-sun"]}
    offered = {where.partition("$")[2]: text for where, text in variables()}
    for name in ("site", "zone", "tenant", "device"):
        [frame] = ask(port, database, with_variables(offered[name], values), login)
        values[name] = [str(row[1]) for row in frame.rows]
    assert values["site"] == [SITE_ID]
    assert {"main", "two", "grid", "board", "001", "gw-1"} <= set(values["device"])
    return values


def test_every_query_of_every_dashboard_and_alert_runs_on_what_arrived(
        grafana: tuple[int, str, tuple[str, str]], chosen: dict[str, list[str]]) -> None:
    port, database, login = grafana
    now_ms = time.time_ns() // 1_000_000
    empty = set()

    def within(days: float, text: str, lowest: str) -> bool:
        start_ms = now_ms - round(days * 86_400_000)
        step_ms = interval_ms(start_ms, now_ms, lowest)
        frames = ask(port, database, with_times(with_variables(text, chosen), start_ms, now_ms,
                                                step_ms), login)
        return any(value is not None for frame in frames for row in frame.rows
                   for value in row[1:])

    def shown(text: str, lowest: str = "1m") -> bool:
        return within(40, text, lowest) or within(1 / 24, text, lowest)

    each: Target
    for each in targets():
        if not shown(each.query, each.panel["interval"]):
            empty.add(f"{each.panel['title']} {each.target.get('alias', '')}")
    empty |= {where.partition(": ")[2] for where, text in annotations() if not shown(text)}
    empty |= {where for where, text in alert_queries() if not shown(text)}
    assert empty <= NOT_HERE


def test_what_the_gateway_sent_is_stored_and_receipted(stack: Stack) -> None:
    metrics = urllib.request.urlopen(
        f"http://127.0.0.1:{stack.metrics_port}/metrics", timeout=5).read().decode()
    assert re.search(r"seatwatt_ingest_balanced\S* 1$", metrics, re.MULTILINE)
    wait("a spool that is nearly empty", lambda: '"values"' in _read(
        stack, 'SELECT last("spool_messages") FROM "gateway" WHERE "spool_messages" < 20'), stack)
    assert "Traceback" not in stack.log("demo-gateway") + stack.log("demo-devices")


def test_the_health_checks_of_the_gateway_and_its_devices_hold(stack: Stack) -> None:
    for name in ("demo-gateway", "demo-devices"):
        [kind, check] = stack.service(name)["healthcheck"]["test"]
        assert kind == "CMD-SHELL"
        words = [stack.here(name, word) for word in check.split()]
        stack.spawn(f"{name}-check", ["sh", "-c", " ".join(words)], {})
        assert stack.processes.pop(f"{name}-check").wait(10) == 0


def test_grafanas_user_reads_and_writes_nothing(stack: Stack) -> None:
    with pytest.raises(urllib.error.HTTPError, match="403"):
        _read(stack, "DROP DATABASE seatwatt")
    with pytest.raises(urllib.error.HTTPError, match="401"):
        query(stack.influx_port, COUNT, "grafana", "wrong", "seatwatt")
