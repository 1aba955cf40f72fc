"""What the balance says, and that the run refuses to finish when it does not hold."""

from dataclasses import replace

import numpy as np
import pytest

from seatwatt.billing.balance import check_balance, wh
from seatwatt.billing.result import Apportionment, Unbalanced
from seatwatt.contract.findings import Finding
from seatwatt.contract.intervals import IntervalGrid
from seatwatt.contract.meters import Unaccounted
from seatwatt.contract.rules import Rule
from tests.unit.billing import worlds
from tests.unit.billing.worlds import energies, node, run

BOARD = worlds.meter("hall-a/board")


def board_reads(board: list[int], child: list[int], over: IntervalGrid, **more: object
                ) -> list[Finding]:
    """Findings about a board with one light below it; the supply agrees with the board."""
    site = worlds.site([node("hall-a/board", **more), node("hall-a/light", "hall-a/board")])
    read = energies(plant_grid=board) | {
        device: worlds.energy(device, values)
        for device, values in ((BOARD, board), (worlds.meter("hall-a/light"), child))}
    return list(run(site, read, over).findings)


def span(finding: Finding) -> tuple[int, int]:
    return finding.from_ms, finding.to_ms


def test_negative_residuals_are_one_finding_a_local_day() -> None:
    over = worlds.grid("2026-10-06T22:00", "2026-10-07T04:00")
    found = board_reads([5, 5, 5, 5, 5, 5], [5, 6, 7, 5, 9, 5], over)
    assert [(f.rule, f.subject, f.blocks) for f in found] == [
        (Rule.B01, "meter/hall-a/board", False)] * 2
    assert [span(f) for f in found] == [(worlds.ms("2026-10-06T23:00"), worlds.ms("00:00")),
                                        (worlds.ms("00:00"), worlds.ms("03:00"))]
    assert [f.detail for f in found] == [
        "children read 0.001 Wh more than its own 0.005 Wh in 1 interval",
        "children read 0.006 Wh more than its own 0.010 Wh in 2 intervals"]


def test_storage_is_judged_by_local_days() -> None:
    over = worlds.grid("2026-10-06T20:00", "2026-10-08T04:00", 60)
    board, child = [10] * 32, [10] * 32
    child[1], child[2] = 30, 0              # the 6th: -20 and +10, negative over the day
    child[10], child[11] = 30, 0            # the 7th: -20 and +10, then +10 once more
    child[12] = 0
    found = board_reads(board, child, over, storage=True)
    assert [span(f) for f in found] == [(over.start_ms, worlds.ms("00:00"))]
    assert len(board_reads(board, child, over)) == 2


def test_the_supply_may_read_less_than_the_nodes_below_it() -> None:
    site = worlds.site([node("hall-a/board")], unaccounted=Unaccounted(alarm_pct=100))
    found = run(site, energies(plant_grid=[90, 100]) | {
        BOARD: worlds.energy(BOARD, [100, 100])}).findings
    assert [(f.rule, f.subject) for f in found] == [(Rule.B01, "supply")]
    assert found[0].detail == ("nodes below the supply read 0.010 Wh more than its own 0.090 Wh "
                               "in 1 interval")


@pytest.mark.parametrize(("supply", "board", "alarm", "detail"), [
    ([1000, 1000], [950, 950], 5.0, None),
    ([1000, 1000], [950, 949], 5.0, "0.101 Wh unaccounted, 5.05 % of 2.000 Wh; alarm above 5 %"),
    ([1000, 1000], [1100, 1000], 4.5,
     "-0.100 Wh unaccounted, 5.00 % of 2.000 Wh; alarm above 4.5 %"),
    ([0, 0], [0, 0], 5.0, None),
    ([0, 0], [5, 0], 5.0, "-0.005 Wh unaccounted, against 0.000 Wh; alarm above 5 %"),
])
def test_unaccounted_energy_above_its_alarm(supply: list[int], board: list[int], alarm: float,
                                            detail: str | None) -> None:
    site = worlds.site([node("hall-a/board")], unaccounted=Unaccounted(alarm_pct=alarm))
    found = run(site, energies(plant_grid=supply) | {BOARD: worlds.energy(BOARD, board)}).findings
    assert [f.detail for f in found if f.rule is Rule.B02] == ([detail] if detail else [])


def test_findings_of_the_meters_come_first() -> None:
    mine = Finding(Rule.R06, str(BOARD), worlds.ms("10:00"), worlds.ms("10:30"), "a reset")
    site = worlds.site([node("hall-a/board")])
    read = energies(plant_grid=[90, 100]) | {BOARD: worlds.energy(BOARD, [100, 100],
                                                                  findings=[mine])}
    assert [f.rule.name for f in run(site, read).findings] == ["R06", "B01", "B02"]


@pytest.fixture
def balanced() -> Apportionment:
    return run(worlds.site(), energies(plant_grid=[100, 200]))


@pytest.mark.parametrize(("change", "message"), [
    ({"supply_milliwh": np.array([[100, 201]])}, "do not add up to the supply's sources"),
    ({"shared_milliwh": np.array([[0, 0, 1], [0, 0, 0]])}, "do not add up to the parties'"),
])
def test_a_result_that_does_not_balance_is_refused(
        balanced: Apportionment, change: dict[str, np.ndarray], message: str) -> None:
    check_balance(balanced)
    with pytest.raises(Unbalanced, match=message):
        check_balance(replace(balanced, **change))


@pytest.mark.parametrize(("milliwh", "text"), [
    (0, "0.000"), (1, "0.001"), (-1, "-0.001"), (-1500, "-1.500"), (12_345_678, "12345.678")])
def test_wh(milliwh: int, text: str) -> None:
    assert wh(milliwh) == text
