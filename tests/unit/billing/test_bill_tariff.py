"""A dated tariff makes a provisional bill of the metered energy."""

import copy
from calendar import monthrange
from collections.abc import Callable
from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwatt.billing.bill import Period
from seatwatt.billing.bill_tariff import provisional_bill
from seatwatt.billing.bill_tariff_file import parse_tariff
from seatwatt.billing.money import charge
from seatwatt.contract.errors import InputError
from tests.unit.billing.money_kit import DAY, apportionment

DOCUMENT: dict[str, Any] = {
    "tariff": "a-2c-2026-02", "supplier": "PESCO", "document": "S.R.O. 279(I)/2026",
    "source": "grid", "currency": "PKR", "from": "2026-02-12", "to": "2027-01-01",
    "lines": [
        {"id": "energy-peak", "price": "43.82", "per": "kwh", "band": "peak"},
        {"id": "energy-offpeak", "price": "35.15", "per": "kwh", "band": "offpeak"},
        {"id": "fixed", "price": "1250", "per": "kw", "at_least_kw": "2.5"},
        {"id": "fca", "price": "2.0581", "per": "kwh"},
        {"id": "qta", "price": "0.5194", "per": "kwh", "share_by": "seats"},
        {"id": "meter-rent", "price": "300", "per": "month", "pass_through": False},
        {"id": "duty", "price": "1.5", "per": "percent", "of": ["energy-peak", "fca"]}]}

KWH = 1_000_000
FOUND = apportionment({"grid": [[200 * KWH, 100 * KWH, 0], [0, 600 * KWH, 600 * KWH]],
                       "generator": [[KWH, KWH, KWH]]})


def amounts(document: dict[str, Any], found: Any = FOUND) -> dict[str, int]:
    bill = provisional_bill(parse_tariff(document), DAY, found)
    return {line.id: line.amount_minor for line in bill.lines}


def test_the_calculators_own_check_comes_out() -> None:
    """300 peak and 1 200 off-peak units at 10 kW sanctioned load: 62 317.25 before tax."""
    measured = np.zeros((2, 24), dtype=np.bool_)
    measured[:, 5] = True
    found = apportionment({"grid": [[200 * KWH, 100 * KWH, 0], [0, 600 * KWH, 600 * KWH]],
                           "generator": [[0, 0, 0]]}, supply_measured=measured)
    due = amounts(DOCUMENT, found)
    assert [due[name] for name in ("energy-peak", "energy-offpeak", "fixed", "fca", "qta")] == [
        1314600, 4218000, 312500, 308715, 77910]
    assert sum(list(due.values())[:5]) == 6231725
    assert due["meter-rent"] == 1000
    assert due["duty"] == round((1314600 + 308715) * 1.5 / 100)


def test_lines_are_rounded_once_half_up() -> None:
    line = {"id": "fixed", "price": "1250", "per": "kw"}
    quarter = apportionment({"grid": [[626_250, 0, 0]]}, interval_s=1800)
    assert amounts({**DOCUMENT, "lines": [line]}, quarter) == {"fixed": 156563}


def test_the_demand_is_billed_where_it_is_above_the_least() -> None:
    line = {"id": "fixed", "price": "1", "per": "kw", "at_least_kw": "2.5"}
    assert amounts({**DOCUMENT, "lines": [line]}) == {"fixed": 120000}


def test_a_provisional_bill_is_charged_like_any_other_and_says_what_it_is() -> None:
    bill = provisional_bill(parse_tariff(DOCUMENT), DAY, FOUND)
    assert (bill.provisional, bill.id, bill.source) == (True, "a-2c-2026-02-provisional", "grid")
    charges = charge(bill, {DAY: FOUND})
    assert sum(charges.totals_minor()) == bill.total_minor
    assert charges.of("operator")["meter-rent"] == 1000
    assert charges.of("alpha")["energy-offpeak"] == 0


def test_what_a_bands_units_cost_may_be_shared_by_another_basis() -> None:
    line = {"id": "peak", "price": "2", "per": "kwh", "band": "peak", "share_by": "seats"}
    bill = provisional_bill(parse_tariff({**DOCUMENT, "lines": [line]}), DAY, FOUND)
    assert charge(bill, {DAY: FOUND}).totals_minor() == (20_000, 20_000, 20_000)


@given(st.integers(1, 12), st.integers(0, 500))
def test_months_add_up_by_their_days(month: int, days: int) -> None:
    line = {"id": "rent", "price": "1.00", "per": "month", "share_by": "seats"}
    tariff = parse_tariff({**DOCUMENT, "from": "2025-01-01", "to": None, "currency": "KWD",
                           "lines": [line]})
    first = date(2025, month, 1)
    whole = provisional_bill(tariff, Period(from_=first, to=date(2026, month, 1)), FOUND)
    assert whole.total_minor == 12_000
    length = [date.fromordinal(first.toordinal() + day) for day in range(days + 1)]
    end = date.fromordinal(first.toordinal() + days + 1)
    exact = sum(Fraction(1000, monthrange(day.year, day.month)[1]) for day in length)
    part = provisional_bill(tariff, Period(from_=first, to=end), FOUND).total_minor
    assert abs(part - exact) <= Fraction(1, 2) + Fraction(1, 10**9)


def line(number: int, **changed: Any) -> Callable[[dict[str, Any]], None]:
    return lambda document: document["lines"][number].update(changed)


def top(**changed: Any) -> Callable[[dict[str, Any]], None]:
    return lambda document: document.update(changed)


@pytest.mark.parametrize(("spoil", "said"), [
    (top(document=" "), "document: ' ' is not a text"),
    (top(to="2026-02-12"), "to: 2026-02-12 is not before 2026-02-12"),
    (top(lines=[]), "lines: there is none"),
    (top(currency="RUP"), "currency: 'RUP' is unknown"),
    (line(0, price=43.82), "lines.0..price: 43.82 is not a price; expected a text such as"),
    (line(0, price="dear"), "lines.0..price: 'dear' is not a price"),
    (line(0, price="Infinity"), "lines.0..price: 'Infinity' is not a price"),
    *((line(0, price=price), "lines.0..price: '.*' is not a price")
      for price in ("1e999999", "1e5", "1_000", " 5", "\u0663", "9" * 13, "0." + "1" * 13)),
    (line(1, id="energy-peak"), "lines.1..id: 'energy-peak' is given twice"),
    (line(1, id="rounding"), "lines.1..id: 'rounding' is the name of the line that Seatwatt adds"),
    (line(2, at_least_kw="-1"), "lines.2..at_least_kw: -1 has no meaning with per: kw"),
    (line(3, at_least_kw="1"), "lines.3..at_least_kw: 1 has no meaning with per: kwh"),
    (line(3, share_by="mood"), "lines.3..share_by: 'mood' is no basis of a price per kwh"),
    (line(3, share_by="fixed"), "lines.3..share_by: 'fixed' is no basis"),
    (line(3, share_by="lines"), "lines.3..share_by: 'lines' is no basis of a price per kwh"),
    (line(0, per="kvarh"), "lines.0..per: 'kvarh' is unknown; expected kwh, kw, month, percent"),
    (line(2, band="peak"), "lines.2..band: it has no meaning with per: kw"),
    (line(3, of=["fixed"]), "lines.3..of: per: percent, and that alone"),
    (line(6, of=[]), "lines.6..of: per: percent, and that alone"),
    (line(6, of=["later"]), "lines.6..of: no line 'later' stands before it; expected energy-peak"),
])
def test_a_wrong_tariff_is_refused(spoil: Callable[[dict[str, Any]], None], said: str) -> None:
    document = copy.deepcopy(DOCUMENT)
    spoil(document)
    with pytest.raises(InputError, match=said):
        parse_tariff(document)


def test_a_percentage_of_nothing_before_it_is_refused() -> None:
    first = {"id": "duty", "price": "1", "per": "percent", "of": ["energy"]}
    with pytest.raises(InputError, match="expected an earlier line"):
        parse_tariff({**DOCUMENT, "lines": [first]})


def test_an_empty_document_is_no_source() -> None:
    tariff = parse_tariff(DOCUMENT)
    fields = {name: getattr(tariff, name) for name in ("id", "supplier", "currency", "from_",
                                                       "lines")}
    with pytest.raises(InputError, match="document: it is empty"):
        type(tariff)(document=" ", **fields)


def test_a_tariff_out_of_force_prices_nothing() -> None:
    late = Period(from_=date(2026, 12, 31), to=date(2027, 1, 2))
    with pytest.raises(InputError, match="days from 2026-02-12 to 2027-01-01"):
        provisional_bill(parse_tariff(DOCUMENT), late, FOUND)
    early = Period(from_=date(2026, 2, 11), to=date(2026, 2, 13))
    with pytest.raises(InputError, match=r"days from 2026-02-12$"):
        provisional_bill(parse_tariff({**DOCUMENT, "to": None}), early, FOUND)


def test_a_demand_needs_a_measured_interval() -> None:
    unmeasured = apportionment({"grid": [[1, 1, 1]]}, supply_measured=np.zeros((1, 24), np.bool_))
    with pytest.raises(InputError, match=r"tariff a-2c-2026-02: lines\[2\]: per: no interval"):
        amounts(DOCUMENT, unmeasured)
