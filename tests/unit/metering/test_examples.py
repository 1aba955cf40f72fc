"""Sites with faults and the numbers of an independent program: supply and findings."""

import gzip
import json
from collections import Counter, defaultdict
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seatwatt.contract.devices import Device
from seatwatt.contract.intervals import IntervalGrid, local_midnight_ms
from seatwatt.contract.site import Site
from seatwatt.metering import RegisterColumn, Registers, site_energy
from seatwatt.store.sitefiles import load_site
from tests.shared import shared


def registers_of(recording: Path) -> Registers:
    """The register readings of a recording, in the order in which they stand."""
    columns: dict[tuple[Device, str], list[tuple[int, float, int]]] = defaultdict(list)
    with gzip.open(recording, "rt") as lines:
        for message in map(json.loads, lines):
            _, _, _, *device = message["topic"].split("/")
            received = round(datetime.fromisoformat(message["received_at"]).timestamp() * 1000)
            first = message["payload"][0]
            for record in message["payload"]:
                if record["n"] in ("energy", "energy_import", "energy_export"):
                    columns[Device(*device), record["n"]].append(
                        (round(first["bt"] * 1000), record["v"], received))
    return {key: RegisterColumn(*(np.array(values, kind) for values, kind in zip(
        zip(*rows, strict=True), (np.int64, np.float64, np.int64), strict=True)))
        for key, rows in columns.items()}


def supply_of(site: Site, energies: dict[Device, Any]) -> dict[str, float]:
    sums: Counter[str] = Counter()
    for node in site.nodes:
        if node.source:
            sums[node.source] += int(energies[node.device].energy_milliwh.sum())
    return {source: energy / 1000 for source, energy in sums.items()}


@pytest.mark.parametrize("name", ["one", "two", "three", "five", "six"])
def test_supply_and_findings_agree(name: str) -> None:
    folder = shared(f"examples/{name}")
    expected = json.loads((folder / "expected.json").read_text())
    site = load_site(folder / "site.yaml")
    start, end = (local_midnight_ms(date.fromisoformat(expected[edge]), site.time_zone)
                  for edge in ("from", "to"))
    grid = IntervalGrid.between(start, end, site.interval_s, site.time_zone)
    energies = site_energy(site, grid, registers_of(folder / "readings.ndjson.gz"))
    assert supply_of(site, energies) == {
        source: round(sum(bands.values()), 3) for source, bands in expected["supply_wh"].items()}
    found = {(f.subject, f.rule.name) for energy in energies.values() for f in energy.findings
             if f.rule.name in ("R03", "R04", "R05", "R06", "R07")}
    assert found == {(f["meter"], f["rule"]) for f in expected["findings"]}
