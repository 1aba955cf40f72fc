"""Random sites with faults: the product and a plain second implementation find the same."""

import gzip
import json
from pathlib import Path

import pytest
import yaml

from seatwatt.settlement.document import document
from seatwatt.settlement.settle import settle
from seatwatt.store.recording import load_recordings
from seatwatt.store.sitefiles import load_site
from tests.oracle.apportion import Plant, Run, days, load
from tests.oracle.worlds import World
from tests.shared import shared

WITHIN_WH = 0.05
"""Both round, at different places: a milliwatt-hour an interval and source."""
JUDGED = ("R03", "R04", "R05", "R06", "R07")


def settled(world: World, folder: Path, run: Run) -> dict:
    (folder / "site.yaml").write_text(yaml.safe_dump(world.document, sort_keys=False))
    with gzip.open(folder / "readings.ndjson.gz", "wt") as lines:
        lines.writelines(json.dumps(message) + "\n" for message in world.messages)
    site = load_site(folder / "site.yaml")
    recording = load_recordings([folder / "readings.ndjson.gz"], site.id)
    return document(settle(site, recording, run.boundaries[0], run.boundaries[-1]))


@pytest.mark.parametrize("seed", range(12))
def test_a_random_site_agrees_with_the_oracle(seed: int, tmp_path: Path) -> None:
    world = World(seed)
    run = Run(Plant(world.document), world.messages, world.start.date().isoformat(),
              world.end.date().isoformat())
    expected, found = run.result(), settled(world, tmp_path, run)["parties"]
    for party in expected.keys() | found.keys():
        mine, theirs = found.get(party, {}), expected.get(party, {})
        for key in ("energy_wh", "direct_wh", "shared_wh", "unaccounted_wh"):
            assert mine.get(key, 0) == pytest.approx(theirs.get(key, 0) / 1000, abs=WITHIN_WH)
        for source, bands in theirs.get("by", {}).items():
            for band, milliwh in bands.items():
                assert mine["by"].get(source, {}).get(band, 0) == pytest.approx(
                    milliwh / 1000, abs=WITHIN_WH)


@pytest.mark.parametrize("seed", range(12))
def test_every_fault_the_oracle_sees_is_a_finding(seed: int, tmp_path: Path) -> None:
    world = World(seed)
    run = Run(Plant(world.document), world.messages, world.start.date().isoformat(),
              world.end.date().isoformat())
    first, last = run.boundaries[0], run.boundaries[-1]
    expected = {(rule, meter) for meter, energy in run.meters.items()
                for rule, at in energy.findings if first <= at < last}
    found = {(f["rule"], f["meter"]) for f in settled(world, tmp_path, run)["findings"]}
    assert expected <= {f for f in found if f[0] in JUDGED}


@pytest.mark.parametrize("name", ["one", "two", "three", "five", "six"])
def test_the_oracle_agrees_with_the_published_numbers(name: str) -> None:
    folder = shared(f"examples/{name}")
    expected = json.loads((folder / "expected.json").read_text())
    run = Run(*load(folder), *days(expected))
    for party, energy in run.result().items():
        for key in ("energy_wh", "direct_wh", "shared_wh", "unaccounted_wh"):
            assert energy[key] / 1000 == pytest.approx(expected["parties"][party][key], abs=0.001)
