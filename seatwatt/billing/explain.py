"""How one party's total arises, line by line; the lines add up to the total."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from seatwatt.billing.exact import INT64_MAX
from seatwatt.billing.result import Apportionment, NodeShare, Seat, SharedPart, Unbalanced
from seatwatt.contract.devices import Device
from seatwatt.contract.errors import InputError
from seatwatt.contract.findings import Finding
from seatwatt.contract.meters import SUPPLY
from seatwatt.metering.energy import MeterEnergy, RegisterAt

WEIGHT_UNITS = {
    "consumption": "mWh carried below the node", "seats": "ms of seats held",
    "occupancy": "ms of seats occupied", "area": "ms of seats held, by area",
    "equal": "intervals in which it held a seat", "fixed": "declared weight x intervals",
    "bookings": "ms of the room booked", "operator": "intervals"}
"""What the weights of each rule count; each is a sum over the intervals the rule shared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatLine:
    """One seat that the party held: its registers, and what the party took of its energy."""

    seat: Seat
    opening: RegisterAt | None
    closing: RegisterAt | None
    seat_milliwh: int
    held_ms: int
    energy_milliwh: int
    estimated_milliwh: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeLine:
    """One part of a node's residual, by one rule: `energy_milliwh` is the party's.

    `own` is what the node's meter read, `residual` what its children did not; `part` is what this
    rule shared of it, interval by interval, so that weight / weights is only its gist.
    """

    node: str
    opening: RegisterAt | None
    closing: RegisterAt | None
    own_milliwh: int
    residual_milliwh: int
    declared_rule: str
    rule: str
    part_milliwh: int
    weight: int
    weights: int
    weight_unit: str
    energy_milliwh: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A party's total: seat lines are direct, node lines shared, the supply's unaccounted."""

    party: str
    seats: tuple[SeatLine, ...]
    nodes: tuple[NodeLine, ...]
    unaccounted: tuple[NodeLine, ...]
    direct_milliwh: int
    shared_milliwh: int
    unaccounted_milliwh: int
    estimated_milliwh: int
    findings: tuple[Finding, ...]
    """About the seats and nodes above, the sources, and the supply."""

    @property
    def energy_milliwh(self) -> int:
        """The total."""
        return self.direct_milliwh + self.shared_milliwh + self.unaccounted_milliwh

    @property
    def measured_milliwh(self) -> int:
        """The part of the total that does not rest on estimated seat intervals."""
        return self.energy_milliwh - self.estimated_milliwh


def explain(result: Apportionment, energies: Mapping[Device, MeterEnergy], party: str
            ) -> Explanation:
    """InputError for a party the site does not know; Unbalanced should the lines not add up."""
    if party not in result.parties:
        raise InputError("party", f"{party!r} is unknown", ", ".join(result.parties))
    at = result.parties.index(party)
    seats = tuple(_seat_lines(result, energies, at))
    lines = [line for node in result.nodes for line in _node_lines(node, energies, at)]
    explanation = Explanation(
        party=party, seats=seats,
        nodes=tuple(line for line in lines if line.node != SUPPLY),
        unaccounted=tuple(line for line in lines if line.node == SUPPLY),
        direct_milliwh=int(result.direct_milliwh[:, at].sum()),
        shared_milliwh=int(result.shared_milliwh[:, at].sum()),
        unaccounted_milliwh=int(result.unaccounted_milliwh[:, at].sum()),
        estimated_milliwh=int(result.estimated_milliwh[:, at].sum()),
        findings=_findings(result, seats, lines))
    _check(explanation)
    return explanation


def _seat_lines(result: Apportionment, energies: Mapping[Device, MeterEnergy], at: int
                ) -> Iterator[SeatLine]:
    table = result.seats
    for row, (zone, name) in enumerate(table.seats):
        held_ms, energy = int(table.held_ms[row, at]), int(table.by_party_milliwh[row, at])
        if held_ms or energy:
            meter = energies.get(Device("seat", zone, name))
            yield SeatLine(seat=(zone, name), opening=meter.opening if meter else None,
                           closing=meter.closing if meter else None,
                           seat_milliwh=int(table.energy_milliwh[row].sum()), held_ms=held_ms,
                           energy_milliwh=energy,
                           estimated_milliwh=int(table.estimated_milliwh[row, at]))


def _node_lines(node: NodeShare, energies: Mapping[Device, MeterEnergy], at: int
                ) -> Iterator[NodeLine]:
    meter = None if node.node == SUPPLY else energies.get(Device.parse(node.node))
    for part in node.parts:
        weights, energy = _weights(part), int(part.energy_milliwh[:, at].sum())
        if weights[at] or energy:
            yield NodeLine(
                node=node.node, opening=meter.opening if meter else None,
                closing=meter.closing if meter else None,
                own_milliwh=int(node.own_milliwh.sum()),
                residual_milliwh=int(node.residual_milliwh.sum()), declared_rule=node.rule,
                rule=part.rule, part_milliwh=int(part.energy_milliwh.sum()), weight=weights[at],
                weights=sum(weights), weight_unit=WEIGHT_UNITS[part.rule], energy_milliwh=energy)


def _weights(part: SharedPart) -> list[int]:
    """Each party's weight over the period."""
    found: list[int] = part.weights.sum(axis=0).tolist()
    if int(part.weights.max(initial=0)) * len(part.weights) > INT64_MAX:
        # Weights by area, summed over a month, may outgrow 64 bits.
        return [sum(column) for column in part.weights.T.tolist()]
    return found


def _findings(result: Apportionment, seats: tuple[SeatLine, ...], lines: list[NodeLine]
              ) -> tuple[Finding, ...]:
    subjects = {f"seat/{zone}/{name}" for zone, name in (line.seat for line in seats)}
    subjects |= {line.node for line in lines} | {SUPPLY, *result.source_meters}
    return tuple(finding for finding in result.findings if finding.subject in subjects)


def _check(explanation: Explanation) -> None:
    for name, lines, total in (
            ("direct", explanation.seats, explanation.direct_milliwh),
            ("shared", explanation.nodes, explanation.shared_milliwh),
            ("unaccounted", explanation.unaccounted, explanation.unaccounted_milliwh)):
        if sum(line.energy_milliwh for line in lines) != total:
            raise Unbalanced(f"{explanation.party}: the {name} lines do not add up")
