"""Every folder `given_...` here is one site and period with a result computed by hand.

`site.yaml`, `readings.csv` (or `.ndjson`), `expected.yaml` (the cells that matter), `note.md` (the
arithmetic). They run through what the command line runs.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from seatwatt.cli.apportion import app

HERE = Path(__file__).parent
FOLDERS = sorted(path for path in HERE.iterdir() if (path / "expected.yaml").exists())


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_scenario(folder: Path) -> None:
    expected = yaml.safe_load((folder / "expected.yaml").read_text())
    found = _run(folder, expected)
    assert found["balanced"] is True
    assert found["supply_wh"] == expected["supply_wh"]
    assert found["parties"].keys() == expected["parties"].keys()
    for party, cells in expected["parties"].items():
        ours = {name: found["parties"][party][name] for name in cells}
        assert (party, ours) == (party, cells)
    findings = {f"{row['rule']} {row['meter']}" for row in found["findings"]}
    assert findings == set(expected["findings"])
    blocks = {f"{row['rule']} {row['meter']}" for row in found["findings"] if row["blocks"]}
    assert blocks == set(expected.get("blocks", []))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_scenario_is_complete_and_adds_up(folder: Path) -> None:
    """What was computed by hand must itself balance, whatever the program says."""
    expected = yaml.safe_load((folder / "expected.yaml").read_text())
    assert len((folder / "note.md").read_text().split()) > 20
    supply = sum(value for bands in expected["supply_wh"].values() for value in bands.values())
    assert sum(row["energy_wh"] for row in expected["parties"].values()) == pytest.approx(
        supply, abs=1e-6)


def test_there_are_scenarios() -> None:
    assert len(FOLDERS) >= 27


def _run(folder: Path, expected: dict[str, Any]) -> dict[str, Any]:
    readings = [word for path in sorted(folder.glob("readings.*"))
                for word in ("--readings", str(path))]
    result = CliRunner().invoke(app, [
        "--site", str(folder / "site.yaml"), *readings, "--from", str(expected["from"]),
        "--to", str(expected["to"]), "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found
