"""docs/rules.md, the code and its docstrings hold the same rules."""

import re

from seatwatt.contract.findings import Finding
from seatwatt.contract.rules import Rule
from tests.shared import ROOT

_ROW = re.compile(r"^\| ([TRB]\d\d) \| ([^|]+) \|.*\| (yes|no) \|$", re.MULTILINE)


def test_the_table_names_every_rule_with_its_title_and_whether_it_blocks() -> None:
    documented = _ROW.findall((ROOT / "docs/rules.md").read_text())
    assert documented == [(rule.name, rule.title, "yes" if rule.blocks else "no") for rule in Rule]


def test_every_rule_is_applied_somewhere_outside_the_table() -> None:
    sources = [file.read_text() for file in (ROOT / "seatwatt").rglob("*.py")
               if file.name != "rules.py"]
    unused = [rule.name for rule in Rule if not any(f"Rule.{rule.name}" in text
                                                    for text in sources)]
    assert unused == []


def test_a_finding_blocks_as_its_rule_does() -> None:
    assert Finding(Rule.R07, "meter/plant/grid", 0, 1, "leap").blocks
    assert not Finding(Rule.R08, "meter/plant/grid", 0, 1, "gap").blocks
