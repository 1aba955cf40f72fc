"""The site command: what is applied is shown again, and every change is told."""

from pathlib import Path

import pytest
import yaml

from seatwatt.contract.sitedocument import site_document
from seatwatt.store.sitefiles import load_site
from tests.commands import Ended, run
from tests.services.test_ledger_sites import a_site, unlabelled
from tests.shared import ROOT, shared


def _run(folder: Path, *arguments: str) -> Ended:
    return run(["site", *arguments], {"SEATWATT_LEDGER_URL": f"sqlite:///{folder}/ledger.db",
                                      "COLUMNS": "160", "USER": "amir", "LOGNAME": "amir"})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "site.yaml"
    path.write_text(yaml.safe_dump(site_document(a_site()), sort_keys=False))
    return path


def test_the_site_that_is_shown_is_the_site_that_was_applied(file: Path, tmp_path: Path) -> None:
    applied = _run(tmp_path, "apply", str(file))
    assert "added  tenant" in applied.stdout
    assert "now revision 1" in applied.stdout
    again = tmp_path / "again.yaml"
    again.write_text(_run(tmp_path, "show", "two-tenants").stdout)
    assert unlabelled(load_site(again)) == unlabelled(load_site(file))
    assert "nothing changed, revision 1" in _run(tmp_path, "apply", str(again)).stdout


@pytest.mark.parametrize("name", ["one", "two", "three", "five", "six"])
def test_real_site_files_survive_the_ledger(name: str, tmp_path: Path) -> None:
    source = shared(f"examples/{name}/site.yaml")
    assert _run(tmp_path, "apply", str(source)).returncode == 0
    site = load_site(source)
    again = tmp_path / "again.yaml"
    again.write_text(_run(tmp_path, "show", site.id).stdout)
    assert unlabelled(load_site(again)) == unlabelled(site)


def test_a_change_is_previewed_made_and_remembered(file: Path, tmp_path: Path) -> None:
    _run(tmp_path, "apply", str(file))
    file.write_text(file.read_text().replace("name: Alpha Contact", "name: Alpha Ltd"))
    preview = _run(tmp_path, "apply", str(file), "--dry-run").stdout
    assert "name: Alpha Contact -> Alpha Ltd" in preview
    assert "nothing is written" in preview
    made = _run(tmp_path, "apply", str(file), "--by", "bina").stdout
    assert "1 changes, now revision 2" in made
    history = _run(tmp_path, "show", "two-tenants", "--history").stdout.splitlines()
    assert history[-1].endswith(
        "bina  revision 2  changed tenant alpha  name: Alpha Contact -> Alpha Ltd")
    assert "  amir  revision 1  added site two-tenants" in history[0]


def test_many_new_items_are_counted_not_listed(tmp_path: Path) -> None:
    applied = _run(tmp_path, "apply", str(ROOT / "examples/workaround.yaml"))
    assert "55 of them" in applied.stdout
    assert "workaround\trevision 1" in _run(tmp_path, "show").stdout


def test_a_wrong_file_declares_nothing(file: Path, tmp_path: Path) -> None:
    file.write_text(file.read_text().replace("PKR", "rupees"))
    refused = _run(tmp_path, "apply", str(file))
    assert refused.returncode == 2
    assert "site.yaml:4: currency" in refused.stderr
    assert _run(tmp_path, "show").stdout == ""
    assert "'two-tenants' is not declared" in _run(tmp_path, "show", "two-tenants").stderr
