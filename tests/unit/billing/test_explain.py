"""A party's total line by line."""

from dataclasses import replace

import numpy as np
import pytest

from seatwatt.billing.explain import explain
from seatwatt.billing.result import Apportionment, Unbalanced
from seatwatt.contract.devices import Device
from seatwatt.contract.errors import InputError
from seatwatt.contract.findings import Finding
from seatwatt.contract.meters import Share
from seatwatt.contract.rules import Rule
from seatwatt.metering.energy import MeterEnergy, Quality, RegisterAt
from tests.unit.billing import worlds
from tests.unit.billing.worlds import booking, energies, energy, lease, node, run

SEAT, OTHER = (Device("seat", "hall-a", name) for name in ("001", "002"))
ROOM = worlds.meter("conf-1/board")
OPENING, CLOSING = (RegisterAt(worlds.ms(at), value, Quality.MEASURED)
                    for at, value in (("10:00", 7_000), ("12:00", 7_500)))


def note(rule: Rule, subject: str) -> Finding:
    return Finding(rule, subject, worlds.ms("10:00"), worlds.ms("10:30"), "told")


@pytest.fixture
def read() -> dict[Device, MeterEnergy]:
    return energies() | {
        SEAT: replace(energy(SEAT, [300, 200], [1]), opening=OPENING, closing=CLOSING,
                      findings=(note(Rule.R06, str(SEAT)),)),
        OTHER: energy(OTHER, [100, 100], findings=[note(Rule.R03, str(OTHER))]),
        ROOM: replace(energy(ROOM, [400, 400]), opening=OPENING, closing=CLOSING),
        worlds.meter("plant/grid"): energy(worlds.meter("plant/grid"), [1000, 1000],
                                           findings=[note(Rule.R05, "meter/plant/grid")])}


@pytest.fixture
def result(read: dict[Device, MeterEnergy]) -> Apportionment:
    site = worlds.site(
        [node("conf-1/board", share=Share(rule="bookings", otherwise="equal"))],
        [lease("alpha", "hall-a/001", to=worlds.moment("11:15")), lease("beta", "hall-a/002")],
        zones={"hall-a": 3, "conf-1": 0},
        bookings=(booking("alpha", "conf-1", "10:00", "10:15"),))
    return run(site, read)


def test_seats_with_registers_and_the_part_held(result: Apportionment,
                                                read: dict[Device, MeterEnergy]) -> None:
    [line] = explain(result, read, "alpha").seats
    assert line.seat == ("hall-a", "001")
    assert (line.opening, line.closing) == (OPENING, CLOSING)
    # Alpha has the seat until 11:15: a quarter of the second hour, which is estimated.
    assert (line.seat_milliwh, line.energy_milliwh, line.estimated_milliwh) == (500, 350, 50)
    assert line.held_ms == 75 * worlds.MINUTE_MS


def test_nodes_with_rule_and_weights(result: Apportionment, read: dict[Device, MeterEnergy]
                                     ) -> None:
    booked, free = explain(result, read, "alpha").nodes
    assert (booked.node, booked.declared_rule, booked.rule) == (
        "meter/conf-1/board", "bookings", "bookings")
    assert (booked.own_milliwh, booked.residual_milliwh, booked.part_milliwh) == (800, 800, 100)
    assert (booked.weight, booked.weights, booked.energy_milliwh) == (900_000, 900_000, 100)
    assert booked.opening == OPENING
    # The free 300 of the first hour and 400 of the second: alpha and beta hold seats in both.
    assert (free.rule, free.part_milliwh, free.weight, free.weights, free.energy_milliwh) == (
        "equal", 700, 2, 4, 350)


def test_weights_beyond_64_bits_are_summed_exactly(result: Apportionment,
                                                   read: dict[Device, MeterEnergy]) -> None:
    shared = next(node for node in result.nodes if node.node != "supply")
    part = shared.parts[-1]
    most = np.full_like(part.weights, 2**62)
    large = replace(shared, parts=(*shared.parts[:-1], replace(part, weights=most)))
    nodes = tuple(large if node is shared else node for node in result.nodes)
    line = explain(replace(result, nodes=nodes), read, "alpha").nodes[-1]
    intervals, parties = part.weights.shape
    assert (line.weight, line.weights) == (intervals * 2**62, intervals * parties * 2**62)


def test_lines_add_up(result: Apportionment, read: dict[Device, MeterEnergy]) -> None:
    for party in result.parties:
        found = explain(result, read, party)
        assert found.direct_milliwh == sum(line.energy_milliwh for line in found.seats)
        assert found.shared_milliwh == sum(line.energy_milliwh for line in found.nodes)
        assert found.unaccounted_milliwh == sum(line.energy_milliwh for line in found.unaccounted)
        assert found.energy_milliwh == found.measured_milliwh + found.estimated_milliwh
        at = result.parties.index(party)
        assert found.energy_milliwh == int(result.energy_milliwh[:, at].sum())


def test_the_supply_is_the_unaccounted_line(result: Apportionment,
                                            read: dict[Device, MeterEnergy]) -> None:
    [line] = explain(result, read, "beta").unaccounted
    assert (line.node, line.rule, line.opening) == ("supply", "consumption", None)
    assert line.residual_milliwh == 2000 - 800 - 700


def test_findings_of_its_own_seats_nodes_sources_and_the_supply(
        result: Apportionment, read: dict[Device, MeterEnergy]) -> None:
    subjects = [(f.rule.name, f.subject) for f in explain(result, read, "alpha").findings]
    assert subjects == [("R05", "meter/plant/grid"), ("R06", "seat/hall-a/001"),
                        ("B02", "supply")]


def test_a_seat_without_a_meter_has_no_registers(result: Apportionment,
                                                 read: dict[Device, MeterEnergy]) -> None:
    lines = {line.seat[1]: line for line in explain(result, read, "operator").seats}
    assert (lines["003"].opening, lines["003"].energy_milliwh) == (None, 0)
    assert lines["003"].held_ms == 2 * 60 * worlds.MINUTE_MS


def test_an_unknown_party(result: Apportionment, read: dict[Device, MeterEnergy]) -> None:
    with pytest.raises(InputError, match=r"'gamma' is unknown; expected alpha, beta, operator"):
        explain(result, read, "gamma")


def test_lines_that_do_not_add_up_are_refused(result: Apportionment,
                                              read: dict[Device, MeterEnergy]) -> None:
    wrong = replace(result, direct_milliwh=result.direct_milliwh + 1)
    with pytest.raises(Unbalanced, match="alpha: the direct lines do not add up"):
        explain(wrong, read, "alpha")
