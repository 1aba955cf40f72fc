"""The bills, prices and occupancy charges in examples/ fit the site they are for."""

from pathlib import Path

import pytest

from seatwatt.settlement.papers import check_paper, kind_of
from seatwatt.store.billfiles import load_bill, load_occupancy, load_tariff
from seatwatt.store.sitefiles import load_site, read_yaml
from tests.shared import ROOT

LOADERS = {"bill": load_bill, "tariff": load_tariff, "occupancy": load_occupancy}
PAPERS = [file for file in sorted((ROOT / "examples").glob("*.yaml"))
          if "site:" not in file.read_text()]


@pytest.mark.parametrize("file", PAPERS, ids=lambda file: file.name)
def test_an_example_fits_its_site(file: Path) -> None:
    kind, _ = kind_of(read_yaml(file)[0])
    check_paper(LOADERS[kind](file), load_site(ROOT / "examples/workaround.yaml"))


def test_there_is_one_of_each_kind() -> None:
    assert {kind_of(read_yaml(file)[0])[0] for file in PAPERS} == set(LOADERS)
