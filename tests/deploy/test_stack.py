"""End to end without containers: a site is applied, readings travel over TLS into InfluxDB, the
API tells the energy, and Grafana's own user can read and not write."""

import json
import re
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.deploy.stack import query, running, wait
from tests.shared import ROOT

SITE = ROOT / "tests/scenarios/given_a_clean_day/site.yaml"


def get(url: str, key: str) -> dict[str, object]:
    request = urllib.request.Request(url, headers={"X-API-Key": key})
    with urllib.request.urlopen(request, timeout=20) as answer:
        found: dict[str, object] = json.load(answer)
        return found


def test_a_day_through_the_whole_stack(tmp_path: Path) -> None:
    recording = tmp_path / "week.ndjson.gz"
    with running(tmp_path) as stack:
        stack.run("api", "site", "apply", str(SITE))
        stack.run("api", "simulate", "--site", str(SITE), "--from", "2026-10-01", "--to",
                  "2026-10-02", "--out", str(recording))
        stack.run("simulated", "replay", str(recording), "--speed", "max")
        reader = (stack.env["INFLUXDB_READ_PASSWORD"], "seatwatt")
        count = 'SELECT count("energy_import_wh") FROM "meter"'

        def stored() -> bool:
            return '"values"' in query(stack.influx_port, count, "grafana", *reader)

        wait("the readings", stored, stack)
        key = re.search(r"operator key, shown this once: (\S+)", stack.log("api"))
        assert key
        site = re.search(r"^site: (\S+)", SITE.read_text(), re.MULTILINE)
        assert site
        base = f"http://127.0.0.1:{stack.api_port}/v1"
        devices = get(f"{base}/sites/{site[1]}/devices", key[1])
        assert devices["devices"]
        metrics = urllib.request.urlopen(
            f"http://127.0.0.1:{stack.metrics_port}/metrics", timeout=5).read().decode()
        assert re.search(r'seatwatt_ingest_balanced\S* 1$', metrics, re.MULTILINE)
        with pytest.raises(urllib.error.HTTPError, match="403"):
            query(stack.influx_port, "DROP DATABASE seatwatt", "grafana", *reader)
        with pytest.raises(urllib.error.HTTPError, match="401"):
            query(stack.influx_port, count, "grafana", "wrong", "seatwatt")
