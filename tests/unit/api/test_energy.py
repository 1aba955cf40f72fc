"""Energy over a period, by step, as JSON, CSV and NDJSON; settled once for all who ask."""

import csv
import io
import json
from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from seatwatt.api.energy_table import EnergyTable, as_json, shown_wh
from seatwatt.api.periods import Step, parse_period, step_starts
from seatwatt.contract.intervals import IntervalGrid
from seatwatt.ledger.sites import save_site
from tests.unit.api.fakes import KARACHI, World, small_site

ENERGY = "/v1/sites/small/energy"
DAY = {"from": "2026-10-01", "to": "2026-10-02", "by": "tenant"}


def test_json_has_a_series_for_each_party(client: TestClient) -> None:
    answer = client.get(ENERGY, params={**DAY, "step": "day"})
    document = answer.json()
    assert answer.headers["content-type"] == "application/json"
    assert document["site"] == "small"
    assert document["from"] == "2026-10-01T00:00:00+05:00"
    assert document["interval_s"] == 1800
    assert [series["id"] for series in document["series"]] == ["alpha", "operator"]
    assert document["series"][0]["energy_wh"] == 60
    assert document["series"][1]["points"] == [
        {"from": "2026-10-01T00:00:00+05:00", "to": "2026-10-02T00:00:00+05:00",
         "energy_wh": 96.048, "quality": "estimated"}]


@pytest.mark.parametrize(("step", "count"), [("interval", 48), ("hour", 24), ("day", 1),
                                             ("total", 1)])
def test_steps_add_up(client: TestClient, step: str, count: int) -> None:
    series = client.get(ENERGY, params={**DAY, "step": step}).json()["series"][1]
    assert len(series["points"]) == count
    assert sum(round(point["energy_wh"] * 1000) for point in series["points"]) == 48 * 2001
    assert series["points"][0]["quality"] == ("measured" if count > 1 else "estimated")


@pytest.mark.parametrize("how", [{"params": {**DAY, "step": "hour", "format": "csv"}},
                                 {"params": {**DAY, "step": "hour"},
                                  "headers": {"accept": "text/csv"}}])
def test_csv_by_parameter_or_accept(client: TestClient, how: dict[str, dict[str, str]]) -> None:
    answer = client.get(ENERGY, **how)  # type: ignore[arg-type]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert answer.headers["content-type"].startswith("text/csv")
    assert len(rows) == 2 * 24
    assert rows[0] == {"id": "alpha", "from": "2026-10-01T00:00:00+05:00",
                       "to": "2026-10-01T01:00:00+05:00", "energy_wh": "2.5",
                       "quality": "measured"}


def test_ndjson_is_one_point_a_line(client: TestClient) -> None:
    answer = client.get(ENERGY, params={**DAY, "step": "interval", "format": "ndjson"})
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert len(lines) == 2 * 48
    assert lines[0]["energy_wh"] == 1.25


def test_an_offset_whose_plus_became_a_space_is_understood(client: TestClient) -> None:
    query = "from=2026-10-01T00:00:00+05:00&to=2026-10-02T00:00:00+05:00&by=tenant"
    document = client.get(f"{ENERGY}?{query}").json()
    assert document["to"] == "2026-10-02T00:00:00+05:00"


def test_no_meter_gives_an_empty_series(client: TestClient) -> None:
    answer = client.get(ENERGY, params={**DAY, "by": "zone"})
    assert answer.json()["series"] == []


def test_apportionment_and_explain_show_what_billing_says(client: TestClient) -> None:
    period = {"from": "2026-10-01", "to": "2026-10-02"}
    shown = client.get("/v1/sites/small/apportionment", params=period).json()
    assert shown == {"site": "small", "balanced": True}
    explained = client.get("/v1/sites/small/explain/alpha", params=period).json()
    assert explained == {"party": "alpha"}


def test_a_settlement_is_remembered_until_it_is_old(client: TestClient, world: World) -> None:
    for _ in range(3):
        client.get(ENERGY, params=DAY)
    assert world.settle.calls == 1
    world.now_ms += 5_001
    client.get(ENERGY, params=DAY)
    assert world.settle.calls == 2


def test_a_changed_declaration_is_settled_anew(client: TestClient, world: World) -> None:
    client.get(ENERGY, params=DAY)
    save_site(world.ledger, replace(small_site(), name="Renamed"), "test", 1)
    client.get(ENERGY, params=DAY)
    assert world.settle.calls == 2


def test_no_cache_computes_anew(client: TestClient, world: World) -> None:
    client.get(ENERGY, params=DAY)
    client.get(ENERGY, params=DAY, headers={"cache-control": "no-cache"})
    assert world.settle.calls == 2


def test_a_failed_settlement_is_not_remembered(client: TestClient, world: World) -> None:
    world.settle.error = ZeroDivisionError()
    assert client.get(ENERGY, params=DAY).status_code == 500
    world.settle.error = None
    assert client.get(ENERGY, params=DAY).status_code == 200


@given(st.integers(-10**15, 10**15))
def test_shown_wh_is_the_exact_decimal(milliwh: int) -> None:
    text = json.dumps(shown_wh(milliwh))
    whole, _, decimals = text.lstrip("-").partition(".")
    assert len(decimals) <= 3
    assert "e" not in text
    assert int(whole + decimals.ljust(3, "0")) == abs(milliwh)


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25),
                                            ("2026-07-01", 24)])
def test_a_local_day_has_the_hours_it_lasts(day: str, hours: int) -> None:
    zone = ZoneInfo("Europe/Amsterdam")
    to = f"{day[:8]}{int(day[8:]) + 1:02}"
    period = parse_period(day, to, zone)
    grid = IntervalGrid.between(period.start_ms, period.end_ms, 1800, zone)
    assert len(step_starts(grid, Step.HOUR)) == hours
    assert step_starts(grid, Step.DAY) == [0]


def test_steps_of_a_period_that_begins_inside_a_day() -> None:
    period = parse_period("2026-10-01T22:30:00+05:00", "2026-10-03", KARACHI)
    grid = IntervalGrid.between(period.start_ms, period.end_ms, 1800, KARACHI)
    assert step_starts(grid, Step.DAY) == [0, 3]
    assert step_starts(grid, Step.HOUR)[:3] == [0, 1, 3]


def test_quotes_in_an_id_stay_inside_their_string() -> None:
    grid = IntervalGrid.between(0, 1_800_000, 1800, ZoneInfo("UTC"))
    table = EnergyTable(('a"b',), grid.boundaries_ms, np.array([[1]]),
                        np.array([[2]], dtype=np.uint8))
    document = json.loads(b"".join(as_json({"site": "s"}, table, grid)))
    assert document["series"][0]["id"] == 'a"b'
    assert document["series"][0]["points"][0]["quality"] == "missing"
