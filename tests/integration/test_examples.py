"""Five sites with faults: our energies and findings against an independent program's."""

import json
from typing import Any

import pytest

from seatwatt.contract.intervals import instant_ms
from seatwatt.settlement.document import document
from seatwatt.settlement.settle import settle
from seatwatt.store.recording import load_recordings
from seatwatt.store.sitefiles import load_site
from tests.oracle.apportion import days
from tests.shared import shared

WH_MAX = 0.5
REGISTER_RULES = ("R03", "R04", "R05", "R06", "R07")

EXAMPLES = ("one", "two", "three", "five", "six")


@pytest.fixture(params=EXAMPLES, scope="module")
def example(request: pytest.FixtureRequest) -> tuple[dict[str, Any], dict[str, Any]]:
    """What we say, and what we should."""
    folder = shared(f"examples/{request.param}")
    expected = json.loads((folder / "expected.json").read_text())
    site = load_site(folder / "site.yaml")
    recording = load_recordings([folder / "readings.ndjson.gz"], site.id)
    start_ms, end_ms = (instant_ms(day, site.time_zone) for day in days(expected))
    return document(settle(site, recording, start_ms, end_ms)), expected


def cells(parties: dict[str, Any]) -> dict[tuple[str, ...], float]:
    """Every energy of every party, by its path."""
    found: dict[tuple[str, ...], float] = {}
    for party, row in parties.items():
        found |= {(party, name): row[name] for name in row if name.endswith("_wh")}
        found |= {(party, source, band): value for source, bands in row["by"].items()
                  for band, value in bands.items()}
    return found


def test_every_cell_agrees(example: tuple[dict[str, Any], dict[str, Any]]) -> None:
    ours, expected = example
    mine, theirs = cells(ours["parties"]), cells(expected["parties"])
    assert mine.keys() == theirs.keys()
    assert {cell: (mine[cell], value) for cell, value in theirs.items()
            if abs(mine[cell] - value) > WH_MAX} == {}


def test_the_supply_agrees_exactly(example: tuple[dict[str, Any], dict[str, Any]]) -> None:
    ours, expected = example
    assert ours["supply_wh"] == expected["supply_wh"]
    assert ours["balanced"] is True


def test_the_sums_are_exact(example: tuple[dict[str, Any], dict[str, Any]]) -> None:
    ours, _ = example
    for source, bands in ours["supply_wh"].items():
        for band, value in bands.items():
            parts = [round(row["by"][source][band] * 1000) for row in ours["parties"].values()]
            assert sum(parts) == round(value * 1000)
    for row in ours["parties"].values():
        whole = round(row["energy_wh"] * 1000)
        assert whole == sum(round(row[name] * 1000)
                            for name in ("direct_wh", "shared_wh", "unaccounted_wh"))
        assert whole == sum(round(value * 1000)
                            for bands in row["by"].values() for value in bands.values())


def test_the_findings_agree(example: tuple[dict[str, Any], dict[str, Any]]) -> None:
    # The expected list names each rule and meter once, however often it happened.
    ours, expected = example
    mine = {(row["rule"], row["meter"]) for row in ours["findings"]
            if row["rule"] in REGISTER_RULES}
    assert mine == {(row["rule"], row["meter"]) for row in expected["findings"]}
