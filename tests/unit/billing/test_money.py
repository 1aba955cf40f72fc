"""Every line's shares add up to its amount, and everybody's to what is to be paid."""

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwatt.billing.bill import BASES, Bill, Period
from seatwatt.billing.money import Charges, charge
from seatwatt.billing.result import Unbalanced
from seatwatt.contract.errors import InputError
from tests.unit.billing.money_kit import DAY, a_bill, a_line, apportionment

GRID = {"grid": [[3000, 1000, 0], [1000, 1000, 2000]]}
AUGUST = Period(from_=date(2026, 8, 1), to=date(2026, 8, 2))


def shares(charges: Charges, line: str) -> tuple[int, ...]:
    return next(each.shares_minor for each in charges.lines if each.id == line)


def one(bill: Bill, **changed: Any) -> tuple[int, ...]:
    """The shares of the bill's first line on a grid of two intervals."""
    charges = charge(bill, {DAY: apportionment(GRID, **changed)})
    return charges.lines[0].shares_minor


@pytest.mark.parametrize(("line", "expected"), [
    (a_line(), (500, 250, 250)),
    (a_line(band="peak"), (750, 250, 0)),
    (a_line(band="offpeak"), (250, 250, 500)),
    (a_line(source="grid"), (500, 250, 250)),
    (a_line(share_by="demand"), (750, 250, 0)),
    (a_line(share_by="own_demand", amount=600), (300, 100, 200)),
    (a_line(share_by="seats"), (334, 333, 333)),
    (a_line(share_by="equal"), (500, 500, 0)),
    (a_line(share_by="fixed", weights=(("beta", 3), ("operator", 1))), (0, 750, 250)),
    (a_line(pass_through=False), (0, 0, 1000)),
    (a_line(amount=-3), (-1, -1, -1)),
    (a_line(amount=0, share_by="occupied_hours"), (0, 0, 0)),
])
def test_each_basis_weighs_what_it_says(line: Any, expected: tuple[int, ...]) -> None:
    assert one(a_bill(line)) == expected


def test_occupied_hours_weigh_for_tenants_alone() -> None:
    occupied = np.zeros((24, 3), dtype=np.int64)
    occupied[3] = [60_000, 30_000, 900_000]
    assert one(a_bill(a_line(share_by="occupied_hours")), occupied_ms=occupied) == (667, 333, 0)


def test_a_source_counts_only_its_own_energy() -> None:
    both = apportionment({"grid": [[1, 1, 0]], "generator": [[0, 3, 0]]})
    bill = a_bill(a_line("fuel", 900, source="generator"), a_line("all", 500))
    charges = charge(bill, {DAY: both})
    assert shares(charges, "fuel") == (0, 900, 0)
    assert shares(charges, "all") == (100, 400, 0)
    of_grid = charge(a_bill(a_line(), source="grid"), {DAY: both})
    assert of_grid.lines[0].shares_minor == (500, 500, 0)


def test_the_demand_is_set_by_the_first_highest_measured_interval() -> None:
    rows = {"grid": [[9, 0, 0], [0, 4, 0], [4, 0, 0]]}
    measured = np.ones((1, 24), dtype=np.bool_)
    measured[0, 0] = False
    found = apportionment(rows, supply_measured=measured)
    bill = a_bill(a_line("mdi", share_by="demand"), a_line("own", share_by="own_demand"))
    charges = charge(bill, {DAY: found})
    assert shares(charges, "mdi") == (0, 1000, 0)
    assert shares(charges, "own") == (500, 500, 0)


def test_duties_follow_the_money_of_the_lines_they_name_in_any_order() -> None:
    bill = a_bill(a_line("tax", 100, "lines", lines=("duty", "energy")),
                  a_line("duty", 10, "lines", lines=("energy",)), a_line("energy", 1000),
                  a_line("kept", 50, pass_through=False),
                  a_line("on-kept", 7, "lines", lines=("kept",)))
    charges = charge(bill, {DAY: apportionment(GRID)})
    assert [line.id for line in charges.lines] == ["tax", "duty", "energy", "kept", "on-kept"]
    assert shares(charges, "duty") == (5, 3, 2)
    assert shares(charges, "tax") == (50, 25, 25)
    assert shares(charges, "on-kept") == (0, 0, 7)


def test_an_earlier_period_is_charged_to_its_own_parties_in_its_own_proportions() -> None:
    august = apportionment({"grid": [[0, 0, 100], [0, 300, 0]]}, AUGUST,
                           ("alpha", "zeta", "operator"))
    bill = a_bill(a_line("now", 1000), a_line("fca", 400, of_period=AUGUST))
    charges = charge(bill, {DAY: apportionment(GRID), AUGUST: august})
    assert charges.parties == ("alpha", "beta", "zeta", "operator")
    assert charges.of("zeta") == {"now": 0, "fca": 300}
    assert charges.of("beta") == {"now": 250, "fca": 0}
    assert charges.of("operator") == {"now": 250, "fca": 100}
    assert charges.of("nobody") == {}
    assert bill.periods() == (DAY, AUGUST)


def test_rounding_is_a_line_of_its_own_shared_by_what_was_passed_through() -> None:
    bill = a_bill(a_line("energy", 1000), a_line("kept", 999, pass_through=False),
                  payable_minor=2000 + 199)
    charges = charge(bill, {DAY: apportionment(GRID)})
    assert charges.lines[-1].id == "rounding"
    assert shares(charges, "rounding") == (100, 50, 50)
    assert sum(charges.totals_minor()) == 2199


def test_rounding_stays_with_the_operator_where_nothing_is_passed_through() -> None:
    bill = a_bill(a_line(pass_through=False), payable_minor=999)
    charges = charge(bill, {DAY: apportionment(GRID)})
    assert shares(charges, "rounding") == (0, 0, -1)


@pytest.mark.parametrize(("line", "said"), [
    (a_line(band="night"), r"lines\[0\]\.band: energy: s has no band 'night'; expected offpeak"),
    (a_line(source="solar"), "s has no solar meter; expected grid"),
    (a_line(share_by="occupied_hours"), "nobody has weight by occupied_hours in 2026-09-01"),
    (a_line(share_by="fixed", weights=(("zeta", 1),)), r"weights\.zeta: energy: s has no such"),
])
def test_a_line_that_cannot_be_shared_is_refused_by_name(line: Any, said: str) -> None:
    with pytest.raises(InputError, match=rf"bill b: .*{said}"):
        one(a_bill(line))


def test_weights_that_cancel_out_are_refused() -> None:
    with pytest.raises(InputError, match="cancel out"):
        charge(a_bill(), {DAY: apportionment({"grid": [[5, -5, 0]]})})


def test_missing_data_never_sets_a_demand() -> None:
    nothing = np.zeros((1, 24), dtype=np.bool_)
    with pytest.raises(InputError, match="no interval of the period is measured"):
        one(a_bill(a_line(share_by="demand")), supply_measured=nothing)
    with pytest.raises(InputError, match="nobody has weight by own_demand"):
        one(a_bill(a_line(share_by="own_demand")), supply_measured=nothing)


def test_a_period_that_is_not_apportioned_is_named() -> None:
    with pytest.raises(InputError, match="2026-08-01 to 2026-08-02 is not apportioned"):
        charge(a_bill(a_line(of_period=AUGUST)), {DAY: apportionment(GRID)})
    with pytest.raises(Unbalanced, match="is of another period"):
        charge(a_bill(period=AUGUST), {AUGUST: apportionment(GRID)})


@pytest.mark.parametrize("spoil", [
    lambda parts: [parts[0] + 1, *parts[1:]],
    lambda parts: [parts[0] - 1, *parts[1:]],
])
def test_a_wrong_split_never_leaves_the_house(
        spoil: Callable[[list[int]], list[int]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seatwatt.billing.money.split", lambda whole, weights: spoil(
        [whole, *(0 for _ in weights[1:])]))
    with pytest.raises(Unbalanced, match="miss its amount"):
        one(a_bill())


def test_totals_are_proved_against_the_payable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Bill, "rounding_minor", property(lambda bill: 0))
    monkeypatch.setattr(Bill, "total_minor", property(lambda bill: 5))
    with pytest.raises(Unbalanced, match="miss what is to be paid"):
        one(a_bill())


energies = st.lists(st.lists(st.integers(0, 10**12), min_size=3, max_size=3), min_size=1,
                    max_size=24).filter(lambda rows: any(map(sum, rows)))


@given(energies, st.lists(st.integers(-10**9, 10**9), min_size=1, max_size=6),
       st.integers(-200, 200), st.data())
def test_whatever_is_billed_is_charged_to_the_last_unit(
        rows: list[list[int]], amounts: list[int], rounding: int, data: st.DataObject) -> None:
    """Over any energies, amounts and bases: lines meet amounts, totals meet the payable, and
    nobody without weight pays."""
    bases = sorted(set(BASES) - {"lines", "fixed", "occupied_hours"})
    lines = [a_line(f"l{index}", amount, data.draw(st.sampled_from(bases)),
                    pass_through=data.draw(st.booleans()))
             for index, amount in enumerate(amounts)]
    bill = a_bill(*lines, payable_minor=sum(amounts) + rounding)
    charges = charge(bill, {DAY: apportionment({"grid": rows})})
    assert sum(charges.totals_minor()) == sum(amounts) + rounding
    for line in charges.lines:
        assert sum(line.shares_minor) == line.amount_minor
        if line.id != "rounding":
            assert all(not share for share, weight in zip(line.shares_minor, line.weights,
                                                          strict=True) if weight == 0)


@given(energies, st.integers(1, 10**9))
def test_a_credit_mirrors_the_charge(rows: list[list[int]], amount: int) -> None:
    found = apportionment({"grid": rows})
    charged = charge(a_bill(a_line(amount=amount)), {DAY: found})
    credited = charge(a_bill(a_line(amount=-amount)), {DAY: found})
    assert charged.totals_minor() == tuple(-share for share in credited.totals_minor())
