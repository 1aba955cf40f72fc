"""Files that somebody spoiled: whatever is wrong is one line and status 2, never a traceback.

`SEATWATT_FUZZ_SEEDS=2000` tries more than the few that every test run can afford.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from seatwatt.cli import main

EXAMPLES = Path(__file__).parents[2] / "examples"
SITES = ("workaround.yaml", "e-rozgar.yaml", "combed.yaml")
BILLS = {"workaround-bill.yaml": "--bill", "workaround-diesel.yaml": "--bill",
         "tariff-a2c-2026-02.yaml": "--tariff", "workaround-occupancy.yaml": "--occupancy"}
SEEDS = range(int(os.environ.get("SEATWATT_FUZZ_SEEDS", "40")))
NASTY = ("", "null", "-1", "0", "1e308", ".nan", ".inf", "99999999999999999999", "true", "[]", "{}",
         "[[]]", "{a: 1}", "supply", "operator", "'", '"', "\t", "*a", "&a 1", "!!python/none",
         "2026-13-01", "0001-01-01", "9999-12-31", "2026-10-01T25:00:00+05:00", "24:00", "7min",
         "é\u202e\u0000", "x" * 300, "- - -", "hall-a/001-999999999", "0.1.2", "<<: *x", "%", "|")


def spoiled(text: str, rng: Random) -> str:
    """One to three lines deleted, doubled, moved, shifted, or with another value or character."""
    lines = text.splitlines()
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(lines))
        rng.choice(_WAYS)(lines, at, rng)
        if not lines:
            break
    return "\n".join(lines) + "\n"


def _delete(lines: list[str], at: int, rng: Random) -> None:
    del lines[at:at + rng.choice((1, 1, 1, 5, 50))]


def _move(lines: list[str], at: int, rng: Random) -> None:
    lines.insert(rng.randrange(len(lines)), lines[at])


def _indent(lines: list[str], at: int, rng: Random) -> None:
    lines[at] = " " * rng.randint(0, 5) + lines[at].lstrip()


def _value(lines: list[str], at: int, rng: Random) -> None:
    key, colon, _ = lines[at].partition(":")
    lines[at] = f"{key}{colon} {rng.choice(NASTY)}"


def _inner(lines: list[str], at: int, rng: Random) -> None:
    words = lines[at].split(" ")
    place = rng.randrange(len(words))
    words[place] = rng.choice(NASTY) + rng.choice(("", ",", "}", "]"))
    lines[at] = " ".join(words)


def _character(lines: list[str], at: int, rng: Random) -> None:
    line = lines[at] or " "
    place = rng.randrange(len(line))
    lines[at] = line[:place] + rng.choice("{}[]:,-#'\"0aé\t ") + line[place + 1:]


_WAYS: tuple[Callable[[list[str], int, Random], None], ...] = (
    _delete, _move, _indent, _value, _value, _inner, _inner, _character)


def readings(folder: Path, site: str = "workaround", rng: Random | None = None) -> Path:
    """A day's readings of one main meter, some spoiled where a generator is given."""
    path = folder / "readings.ndjson"
    lines = []
    for hour in range(-1, 26):
        at = 1_790_794_800 + hour * 3600    # 2026-09-30T19:00Z, midnight in Karachi
        lines.append(json.dumps({
            "received_at": "2026-10-03T00:00:00Z",
            "topic": f"seatwatt/v1/{site}/meter/plant/grid",
            "payload": [{"bt": at, "n": "energy_import", "u": "Wh", "v": 1000 * (hour + 2)}]}))
    text = "\n".join(lines) + "\n"
    path.write_text(text if rng is None else spoiled(text, rng), errors="replace")
    return path


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object
        ) -> tuple[int, str]:
    """Status and standard error of `seatwatt apportion` for a day, run in this process."""
    monkeypatch.setattr(sys, "argv", [
        "seatwatt", "apportion", "--from", "2026-10-01", "--to", "2026-10-02", "--json",
        *map(str, arguments)])
    status = 0
    try:
        main()
    except SystemExit as end:
        status = int(end.code or 0)
    return status, capsys.readouterr().err


def check(status: int, told: str) -> None:
    lines = told.splitlines()
    assert status in (0, 2), told
    assert all(line.startswith("seatwatt: ") for line in lines), told
    assert status == 0 or len(lines) == 1, told
    assert "Traceback" not in told


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", SITES)
def test_a_spoiled_site_file_is_told_in_a_line(
        name: str, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str]) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(spoiled((EXAMPLES / name).read_text(), Random(f"{name} {seed}")))
    status, told = run(monkeypatch, capsys, "--site", site, "--readings", readings(tmp_path))
    check(status, told)
    assert status == 0 or str(site) in told


@pytest.mark.parametrize("seed", SEEDS)
def test_a_spoiled_recording_is_told_in_a_line(
        seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str]) -> None:
    spoilt = readings(tmp_path, rng=Random(seed))
    check(*run(monkeypatch, capsys, "--site", EXAMPLES / "workaround.yaml", "--readings", spoilt))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", BILLS)
def test_a_spoiled_bill_is_told_in_a_line(
        name: str, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str]) -> None:
    paper = tmp_path / "paper.yaml"
    paper.write_text(spoiled((EXAMPLES / name).read_text(), Random(f"{name} {seed}")))
    status, told = run(monkeypatch, capsys, "--site", EXAMPLES / "workaround.yaml",
                       "--readings", readings(tmp_path), BILLS[name], paper)
    check(status, told)
