"""Two bills of one month over the whole path, from register readings to what each party pays."""

import csv
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent / "given_a_night_shift_a_generator_week_and_julys_fuel_adjustment"
START, DAYS = datetime(2026, 6, 29, tzinfo=UTC), 97
KARACHI = timedelta(hours=5)
GENERATOR = [datetime(2026, 9, day, tzinfo=UTC) - KARACHI for day in (8, 15)]


def write_readings(file: Path) -> None:
    """Hourly registers of three seats at 100 W, of the grid, and of the generator in its week."""
    grid_wh = generator_wh = 0
    with file.open("w", encoding="utf-8") as out:
        out.write("time,kind,zone,device,quantity,value\n")
        for hour in range(DAYS * 24):
            at = START + timedelta(hours=hour)
            time = at.strftime("%Y-%m-%dT%H:%M:%SZ")
            for seat in ("001", "002", "003"):
                out.write(f"{time},seat,hall,{seat},energy,{100 * hour}\n")
            out.write(f"{time},meter,plant,grid,energy_import,{grid_wh}\n")
            out.write(f"{time},meter,plant,generator,energy_import,{generator_wh}\n")
            if GENERATOR[0] <= at < GENERATOR[1]:
                generator_wh += 300
            else:
                grid_wh += 300


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Any:
    readings = tmp_path_factory.mktemp("readings") / "readings.csv"
    write_readings(readings)
    result = subprocess.run(
        [sys.executable, "-m", "seatwatt", "apportion", "--site", str(FOLDER / "when/site.yaml"),
         "--readings", str(readings), "--from", "2026-09-01", "--to", "2026-10-01",
         "--bill", str(FOLDER / "when/grid.yaml"), "--bill", str(FOLDER / "when/fuel.yaml"),
         "--json"], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_everybody_pays_for_the_hours_and_the_source_and_the_month_that_were_theirs(
        found: Any) -> None:
    with (FOLDER / "then/charges.csv").open(encoding="utf-8", newline="") as file:
        expected = {row.pop("party"): row for row in csv.DictReader(file)}
    assert found["parties"].keys() == expected.keys()
    for party, lines in expected.items():
        charges = found["parties"][party]["charges"]["PKR"]
        off = {line: (amount, charges[line]) for line, amount in lines.items()
               if abs(Decimal(amount) - Decimal(charges[line])) > Decimal("0.01")}
        assert off == {}, party


def test_who_left_in_july_carries_no_energy_of_september(found: Any) -> None:
    old = found["parties"]["old-co"]
    assert old["energy_wh"] == 0
    assert old["by"] == {"grid": {"offpeak": 0, "peak": 0}, "generator": {"offpeak": 0, "peak": 0}}
    assert old["total"] == {"PKR": "306.28"}  # with its 3 paisa of the rounding line


def test_both_bills_are_met_exactly_and_their_units_agree_with_the_meters(found: Any) -> None:
    total = sum(Decimal(row["total"]["PKR"]) for row in found["parties"].values())
    assert total == Decimal("6520.00") + Decimal("3606.12")
    assert found["findings"] == []
