"""What the balance itself says: B01, B02, and the proof that nothing is lost."""

from itertools import pairwise

import numpy as np

from seatwatt.billing.exact import Ints
from seatwatt.billing.result import Apportionment, NodeShare, Unbalanced
from seatwatt.contract.findings import Finding
from seatwatt.contract.intervals import IntervalGrid
from seatwatt.contract.meters import SUPPLY
from seatwatt.contract.rules import Rule


def negative_residuals(node: NodeShare, storage: bool, grid: IntervalGrid,
                       day_starts: tuple[int, ...]) -> list[Finding]:
    """B01: children read more than their parent; one finding a local day, from its first such
    interval to its last, so that a board of coarse resolution does not tell it every hour.

    A storage node takes energy in one interval and gives it in another, so it is judged by the
    whole day instead.
    """
    if (node.residual_milliwh >= 0).all():
        return []
    found = []
    for first, end in pairwise((*day_starts, len(grid))):
        residual = node.residual_milliwh[first:end]
        over = np.arange(end - first) if storage else np.flatnonzero(residual < 0)
        if residual[over].sum() < 0:
            found.append(_b01(node, first + over, grid))
    return found


def _b01(node: NodeShare, where: Ints, grid: IntervalGrid) -> Finding:
    over, own = -int(node.residual_milliwh[where].sum()), int(node.own_milliwh[where].sum())
    what = "nodes below the supply" if node.node == SUPPLY else "children"
    return Finding(Rule.B01, node.node, grid.boundaries_ms[int(where[0])],
                   grid.boundaries_ms[int(where[-1]) + 1],
                   f"{what} read {wh(over)} Wh more than its own {wh(own)} Wh "
                   f"in {len(where)} interval{'s' if len(where) > 1 else ''}")


def unaccounted_alarm(supply: NodeShare, alarm_pct: float, grid: IntervalGrid) -> list[Finding]:
    """B02: the supply's residual over the period is more than `alarm_pct` of the supply."""
    own, residual = int(supply.own_milliwh.sum()), int(supply.residual_milliwh.sum())
    if abs(residual) * 100 <= alarm_pct * abs(own):
        return []
    share = f"{abs(residual) * 100 / abs(own):.2f} % of" if own else "against"
    return [Finding(Rule.B02, SUPPLY, grid.start_ms, grid.end_ms,
                    f"{wh(residual)} Wh unaccounted, {share} {wh(own)} Wh; alarm above "
                    f"{alarm_pct:g} %")]


def check_balance(result: Apportionment) -> None:
    """Raise Unbalanced unless, in every interval and source, the parties add up to the supply,
    and the sources to each party's direct, shared and unaccounted energy."""
    by_source = result.by_source_milliwh
    if not np.array_equal(by_source.sum(axis=2), result.supply_milliwh):
        raise Unbalanced(f"{result.site}: parties do not add up to the supply's sources; "
                         "nothing was written")
    if not np.array_equal(by_source.sum(axis=0), result.energy_milliwh):
        raise Unbalanced(f"{result.site}: sources do not add up to the parties' energy; "
                         "nothing was written")


def wh(milliwh: int) -> str:
    """Milliwatt-hours as Wh with three decimals, exactly."""
    return f"{'-' if milliwh < 0 else ''}{abs(milliwh) // 1000}.{abs(milliwh) % 1000:03}"
