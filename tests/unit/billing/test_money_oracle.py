"""Random bills over random energies: the product and a slow second program agree to the paisa."""

from datetime import date
from typing import Any

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from seatwatt.billing.bill import Period
from seatwatt.billing.bill_file import parse_bill
from seatwatt.billing.money import charge
from seatwatt.contract.errors import InputError
from tests.oracle import money as oracle
from tests.unit.billing.money_kit import DAY, apportionment

JULY = Period(from_=date(2026, 7, 1), to=date(2026, 7, 2))
PARTIES = ["a", "b", "c", "operator"]
SOURCES = ["grid", "generator"]

cells = st.one_of(st.just(0), st.integers(0, 20), st.integers(0, 10**9), st.integers(-10**6, 0))
periods = st.fixed_dictionaries({
    "rows": st.lists(st.lists(cells, min_size=8, max_size=8), min_size=1, max_size=6),
    "measured": st.lists(st.booleans(), min_size=24, max_size=24),
    "held": st.lists(st.sampled_from([0, 1, 3_600_000]), min_size=4, max_size=4)})
amounts = st.integers(-10**8, 10**9).map(lambda minor: f"{minor / 100:.2f}")


@st.composite
def lines(draw: st.DrawFn) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for index in range(draw(st.integers(1, 6))):
        basis = draw(st.sampled_from(["energy", "demand", "own_demand", "seats", "equal", "fixed",
                                      "lines", "energy"]))
        line: dict[str, Any] = {"id": f"l{index}", "amount": draw(amounts), "share_by": basis}
        if basis == "lines":
            others = [f"l{number}" for number in range(index)] or ["l0"]
            line["lines"] = draw(st.lists(st.sampled_from(others), min_size=1, max_size=3,
                                          unique=True))
        if basis == "fixed":
            line["weights"] = draw(st.dictionaries(st.sampled_from(PARTIES), st.integers(1, 9),
                                                   min_size=1))
        if basis == "energy":
            line |= draw(st.sampled_from([{}, {"band": "peak"}, {"band": "offpeak"},
                                          {"of_period": {"from": "2026-07-01",
                                                         "to": "2026-07-02"}}]))
        if basis in ("energy", "demand", "own_demand"):
            line |= draw(st.sampled_from([{}, {}, {"source": "grid"}, {"source": "generator"}]))
        if draw(st.integers(0, 5)) == 0:
            line["pass_through"] = False
        found.append(line)
    return draw(st.permutations(found))


def both(given_: dict[str, Any], period: Period) -> tuple[Any, oracle.Month]:
    """The period as the product takes it, and as the oracle does."""
    rows, count = given_["rows"], len(given_["rows"])
    energy = {"grid": [row[:4] for row in rows], "generator": [row[4:] for row in rows]}
    measured = np.array([given_["measured"]] * 2)
    held = np.zeros((24, 4), dtype=np.int64)
    held[0] = given_["held"]
    product = apportionment(energy, period, tuple(PARTIES), supply_measured=measured, held_ms=held)
    padded = {name: [dict(zip(PARTIES, values, strict=True)) for values in found]
              + [dict.fromkeys(PARTIES, 0)] * (24 - count) for name, found in energy.items()}
    bands = ["peak", "offpeak"] * 12
    return product, oracle.Month(PARTIES, bands, padded, given_["measured"],
                                 dict(zip(PARTIES, given_["held"], strict=True)))


@given(periods, periods, lines(), st.integers(-200, 200),
       st.sampled_from([None, "grid", "generator"]))
def test_every_cell_agrees_with_the_slow_program(
        now: dict[str, Any], july: dict[str, Any], found: list[dict[str, Any]], rounding: int,
        source: str | None) -> None:
    total = sum(round(float(line["amount"]) * 100) for line in found)
    document = {"bill": "b", "supplier": "S", "currency": "PKR", "source": source,
                "period": {"from": str(DAY.from_), "to": str(DAY.to)}, "lines": found,
                "payable": f"{(total + rounding) / 100:.2f}"}
    try:
        bill = parse_bill(document)
    except InputError as error:
        assume("circle" not in error.problem)
        raise
    (product, month), (earlier, month_of_july) = both(now, DAY), both(july, JULY)
    try:
        expected = oracle.charge(document, month, month_of_july)
    except (ZeroDivisionError, ValueError):
        refused = False
        try:
            charge(bill, {DAY: product, JULY: earlier})
        except InputError:
            refused = True
        assert refused
        return
    charges = charge(bill, {DAY: product, JULY: earlier})
    assert {line.id: dict(zip(charges.parties, line.shares_minor, strict=True))
            for line in charges.lines} == expected
