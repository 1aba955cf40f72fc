"""Findings on a terminal: what blocks in full, the rest readable."""

import io
from typing import Any

from rich.console import Console

from seatwatt.cli.apportion_tables import show_findings


def shown(findings: list[dict[str, Any]]) -> list[str]:
    out = io.StringIO()
    show_findings(Console(file=out, width=120), findings)
    return out.getvalue().splitlines()


def finding(rule: str, meter: str, day: int, blocks: bool = False) -> dict[str, Any]:
    return {"rule": rule, "meter": meter, "from": f"day {day}", "detail": "so", "blocks": blocks}


def test_many_findings_alike_are_counted() -> None:
    rows = [finding("B01", "supply", day) for day in range(30)]
    assert shown(rows) == ["B01 supply day 0: so", "B01 supply day 1: so", "B01 supply day 2: so",
                           "B01 supply: 30 findings in all; --json lists each"]


def test_three_alike_are_shown_as_they_are() -> None:
    rows = [finding("B01", meter, day) for meter in ("supply", "b") for day in range(3)]
    assert len(shown(rows)) == 6


def test_what_blocks_is_shown_in_full() -> None:
    rows = [finding("R07", "m", day, blocks=True) for day in range(5)]
    assert shown(rows) == [f"R07 m day {day}: so BLOCKS ISSUING" for day in range(5)]
