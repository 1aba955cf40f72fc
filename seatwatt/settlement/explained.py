"""One party's total, line by line, as the object that the command and the API show."""

from collections.abc import Iterator
from typing import Any

from seatwatt.billing.explain import Explanation, NodeLine, SeatLine, explain
from seatwatt.contract.intervals import IntervalGrid
from seatwatt.metering.energy import RegisterAt
from seatwatt.settlement.document import energy_by, finding_row, instant_text, period_text, wh
from seatwatt.settlement.settle import Settlement


def explanation(settlement: Settlement, party: str) -> dict[str, Any]:
    """Plain values: the seats' lines add up to `direct_wh`, the nodes' to `shared_wh`, the
    supply's to `unaccounted_wh`, and these three to `energy_wh`. InputError for an unknown party.
    """
    found, grid = of(settlement, party), settlement.grid
    return {
        "site": settlement.site.id, "party": party,
        "from": period_text(grid.start_ms, grid), "to": period_text(grid.end_ms, grid),
        "seats": [_seat(line, grid) for line in found.seats],
        "nodes": [_node(line, grid) for line in found.nodes],
        "unaccounted": [_node(line, grid) for line in found.unaccounted],
        "direct_wh": wh(found.direct_milliwh), "shared_wh": wh(found.shared_milliwh),
        "unaccounted_wh": wh(found.unaccounted_milliwh), "energy_wh": wh(found.energy_milliwh),
        "by": energy_by(settlement, party),
        "measured_wh": wh(found.measured_milliwh), "estimated_wh": wh(found.estimated_milliwh),
        "exchanges": list(_exchanges(settlement, found)),
        "findings": [finding_row(finding, grid) for finding in found.findings],
    }


def of(settlement: Settlement, party: str) -> Explanation:
    """The explanation as billing gives it."""
    return explain(settlement.apportionment, settlement.energies, party)


def _exchanges(settlement: Settlement, found: Explanation) -> Iterator[dict[str, Any]]:
    """Exchanges in the period of the meters above: why a register's difference is not what its
    meter read."""
    grid, shown = settlement.grid, {f"seat/{'/'.join(line.seat)}" for line in found.seats}
    shown |= {line.node for line in (*found.nodes, *found.unaccounted)}
    for exchange in settlement.site.exchanges:
        if str(exchange.meter) in shown and grid.start_ms <= exchange.at_ms <= grid.end_ms:
            yield {"meter": str(exchange.meter), "at": instant_text(exchange.at_ms, grid),
                   "final_wh": exchange.final_wh, "initial_wh": exchange.initial_wh}


def _seat(line: SeatLine, grid: IntervalGrid) -> dict[str, Any]:
    return {"seat": "/".join(line.seat), "opening": _register(line.opening, grid),
            "closing": _register(line.closing, grid), "seat_wh": wh(line.seat_milliwh),
            "held_s": line.held_ms / 1000, "energy_wh": wh(line.energy_milliwh),
            "estimated_wh": wh(line.estimated_milliwh)}


def _node(line: NodeLine, grid: IntervalGrid) -> dict[str, Any]:
    return {"node": line.node, "opening": _register(line.opening, grid),
            "closing": _register(line.closing, grid), "own_wh": wh(line.own_milliwh),
            "residual_wh": wh(line.residual_milliwh), "declared_rule": line.declared_rule,
            "rule": line.rule, "part_wh": wh(line.part_milliwh), "weight": line.weight,
            "weights": line.weights, "weight_unit": line.weight_unit,
            "energy_wh": wh(line.energy_milliwh)}


def _register(register: RegisterAt | None, grid: IntervalGrid) -> dict[str, Any] | None:
    if register is None:
        return None
    return {"at": instant_text(register.at_ms, grid), "register_wh": wh(register.register_milliwh),
            "quality": register.quality.name.lower()}
