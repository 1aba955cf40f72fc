"""`seatwatt site` as a user calls it: check, apply, show, history."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from seatwatt.cli import main
from seatwatt.contract.site import Site
from seatwatt.store.sitefiles import load_site
from tests.shared import ROOT

FILE = ROOT / "examples" / "workaround.yaml"


@pytest.fixture(autouse=True)
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEATWATT_LEDGER_URL", f"sqlite:///{tmp_path}/ledger.db")


def seatwatt(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["seatwatt", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def unlabelled(site: Site) -> Site:
    """Without the names that leases and bookings go by: an index in a file, an id in a ledger."""
    return replace(site, leases=tuple(replace(lease, label="") for lease in site.leases),
                   bookings=tuple(replace(booking, label="") for booking in site.bookings))


def test_check_says_what_a_file_declares(monkeypatch: pytest.MonkeyPatch,
                                         capsys: pytest.CaptureFixture[str]) -> None:
    assert seatwatt(monkeypatch, "site", "check", str(FILE)) == 0
    assert "350 seats" in capsys.readouterr().out


def test_an_applied_site_is_shown_as_the_file_it_came_from(
        monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
        tmp_path: Path) -> None:
    assert seatwatt(monkeypatch, "site", "apply", str(FILE), "--by", "tester") == 0
    capsys.readouterr()
    assert seatwatt(monkeypatch, "site", "show", "workaround") == 0
    shown = tmp_path / "shown.yaml"
    shown.write_text(capsys.readouterr().out)
    assert unlabelled(load_site(shown)) == unlabelled(load_site(FILE))


def test_applying_twice_changes_nothing(monkeypatch: pytest.MonkeyPatch,
                                        capsys: pytest.CaptureFixture[str]) -> None:
    seatwatt(monkeypatch, "site", "apply", str(FILE))
    capsys.readouterr()
    assert seatwatt(monkeypatch, "site", "apply", str(FILE)) == 0
    assert "nothing changed" in capsys.readouterr().out


def test_a_wrong_file_is_one_line_and_status_two(monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
                                                 capsys: pytest.CaptureFixture[str]) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(FILE.read_text().replace("interval: 30min", "interval: 7min"))
    assert seatwatt(monkeypatch, "site", "apply", str(wrong)) == 2
    told = capsys.readouterr().err.strip().splitlines()
    assert len(told) == 1
    assert "interval" in told[0]
    assert "expected 5, 10, 15, 20, 30 or 60min" in told[0]
