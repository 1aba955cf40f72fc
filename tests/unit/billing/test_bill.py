"""A bill that exists is right in itself; a bill file says where it is wrong."""

import copy
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from seatwatt.billing.bill import Period
from seatwatt.billing.bill_file import bill_document, parse_bill
from seatwatt.billing.bill_units import UnitCheck, check_units, unit_findings
from seatwatt.contract.errors import InputError
from seatwatt.contract.rules import Rule
from seatwatt.store.billfiles import load_bill
from tests.unit.billing.money_kit import DAY, a_bill, a_line, apportionment

DOCUMENT: dict[str, Any] = {
    "bill": "pesco-2026-09", "supplier": "PESCO", "source": "grid",
    "period": {"from": "2026-09-01", "to": "2026-10-01"}, "currency": "PKR",
    "units": {"peak_kwh": 11580, "offpeak_kwh": 53120.5, "demand_kw": 138},
    "lines": [
        {"id": "energy-peak", "amount": "507435.60", "share_by": "energy", "band": "peak"},
        {"id": "fixed", "amount": "172500.00", "share_by": "demand"},
        {"id": "fca-july", "amount": "141885.41", "share_by": "energy",
         "of_period": {"from": "2026-07-01", "to": "2026-08-01"}, "source": "generator"},
        {"id": "duty", "amount": "35619.05", "share_by": "lines", "lines": ["energy-peak"]},
        {"id": "rent", "amount": "100.00", "share_by": "fixed", "weights": {"alpha": 2, "beta": 1}},
        {"id": "income-tax", "amount": "420077.45", "share_by": "lines", "lines": ["fixed"],
         "pass_through": False}],
    "payable": "1277617.00"}


def test_a_bill_file_becomes_a_bill_and_back() -> None:
    bill = parse_bill(DOCUMENT)
    assert bill_document(bill) == {**DOCUMENT, "units": {"peak_kwh": 11580.0,
                                                         "offpeak_kwh": 53120.5,
                                                         "demand_kw": 138.0}}
    assert parse_bill(bill_document(bill)) == bill
    assert bill.lines[0].amount_minor == 50743560
    assert bill.rounding_minor == -51
    assert bill.total_minor == bill.payable_minor
    assert bill.units[1] == ("offpeak_kwh", 53_120_500)


def test_without_a_printed_payable_the_lines_are_what_is_to_be_paid() -> None:
    bill = parse_bill({**DOCUMENT, "payable": None})
    assert (bill.rounding_minor, bill.total_minor) == (0, 127761751)
    assert "payable" not in bill_document(bill)


def line(number: int, **changed: Any) -> Callable[[dict[str, Any]], None]:
    return lambda document: document["lines"][number].update(changed)


def top(**changed: Any) -> Callable[[dict[str, Any]], None]:
    return lambda document: document.update(changed)


@pytest.mark.parametrize(("spoil", "said"), [
    (top(payable="1277620.00"), "payable: the lines add up to 1277617.51, but 1277620.00 is to be "
     "paid; expected a difference of at most 2 PKR"),
    (top(payable=1277617.0), "payable: 1277617.0 is not an amount"),
    (top(currency="RUP"), "currency: 'RUP' is unknown"),
    (top(currency=None), "currency: is missing"),
    (top(bill="PESCO/9"), "bill: 'PESCO/9' is not an identifier"),
    (top(source="wind"), "source: 'wind' is unknown; expected grid, generator, solar"),
    (top(period={"from": "2026-10-01", "to": "2026-09-01"}),
     "period: 2026-10-01 is not before 2026-09-01"),
    (top(period={"from": "2026-09-01T00:00:00+05:00", "to": "2026-10-01"}),
     "period.from: '2026-09-01T00:00:00.05:00' is not a date"),
    (top(period={"from": "2026-09-01"}), "period.to: is missing"),
    (top(lines=[]), "lines: there is none"),
    (top(units={"peak": 5}), "units.peak: is unknown; expected kwh, demand_kw, or a band such as"),
    (top(units={"kwh": -5}), "units.kwh: is negative"),
    (top(units={"kwh": 1e308}), "units.kwh: 1e.308 is too large"),
    (top(total="5.00"), "total: is unknown; expected bill, supplier"),
    (line(0, amount="507435.605"), "lines.0..amount: '507435.605' has more decimals than PKR"),
    (line(0, amount=None), "lines.0..amount: is missing"),
    (line(0, share_by="area"), "lines.0..share_by: 'area' is unknown; expected energy, demand"),
    (line(0, id="rounding"), "lines.0..id: 'rounding' is the name of the line that Seatwatt adds"),
    (line(1, id="energy-peak"), "lines.1..id: 'energy-peak' is given twice"),
    (line(1, band="peak"), "lines.1..band: it has no meaning with share_by: demand; expected "
     "share_by: energy"),
    (line(1, of_period={"from": "2026-07-01", "to": "2026-08-01"}), "lines.1..of_period: it has"),
    (line(1, weights={"alpha": 1}), "lines.1..weights: it has no meaning"),
    (line(1, lines=["duty"]), "lines.1..lines: it has no meaning"),
    (line(2, source="wind"), "lines.2..source: 'wind' is unknown"),
    (line(4, source="grid"), "lines.4..source: it has no meaning with share_by: fixed"),
    (line(2, of_period={"from": "2026-08-01", "to": "2026-08-01"}),
     "lines.2..of_period: 2026-08-01 is not before"),
    (line(3, lines=["nothing"]), "lines.3..lines: there is no line .nothing.; expected energy"),
    (line(3, lines=[]), "lines.3..lines: no line is named"),
    (line(3, lines=["duty"]), "lines.3..lines: lines measure one another in a circle: duty ->"),
    (line(4, weights={}), "lines.4..weights: share_by: fixed has no weights"),
    (line(4, weights={"alpha": -1}), "lines.4..weights.alpha: -1 is negative"),
    (line(4, weights={"alpha": 0.0000000001}), "lines.4..weights.alpha: 1e-10 is no weight"),
    (line(4, weights={"Alpha": 1}), "lines.4..weights: 'Alpha' is not an identifier"),
    (line(5, pass_through="no"), "lines.5..pass_through: 'no' is neither true nor false"),
])
def test_a_wrong_bill_is_refused_with_place_and_reason(
        spoil: Callable[[dict[str, Any]], None], said: str) -> None:
    document = copy.deepcopy(DOCUMENT)
    spoil(document)
    with pytest.raises(InputError, match=said):
        parse_bill(document)


def test_a_line_has_no_negative_weight() -> None:
    with pytest.raises(InputError, match=r"weights\.beta: -1 is negative; expected 0 or more"):
        a_line("rent", 100, share_by="fixed", weights=(("alpha", 2), ("beta", -1)))


def test_weights_with_decimals_keep_their_proportion() -> None:
    document = copy.deepcopy(DOCUMENT)
    line(4, weights={"alpha": 0.1, "beta": 0.25, "operator": 2})(document)
    bill = parse_bill(document)
    assert bill.lines[4].weights == (("alpha", 10), ("beta", 25), ("operator", 200))
    assert parse_bill(bill_document(bill)) == bill


def test_a_bill_file_names_the_line_of_the_error(tmp_path: Path) -> None:
    file = tmp_path / "bill.yaml"
    text = yaml.safe_dump(DOCUMENT, sort_keys=False)
    file.write_text(text)
    assert load_bill(file) == parse_bill(DOCUMENT)
    file.write_text(text.replace("'172500.00'", "172500.00"))
    number = 1 + text.splitlines().index("  amount: '172500.00'")
    with pytest.raises(InputError, match=rf"bill.yaml:{number}: lines\[1\].amount: 172500.0 is"):
        load_bill(file)
    file.write_text(text, encoding="utf-8-sig")
    with pytest.raises(InputError, match=r"bill.yaml:1: bill: it starts with a byte-order mark"):
        load_bill(file)


def test_periods_are_ordered_and_named() -> None:
    assert str(DAY) == "2026-09-01 to 2026-09-02"
    assert Period(from_=date(2026, 7, 1), to=date(2026, 8, 1)) < DAY


def test_billed_units_are_held_against_the_meters() -> None:
    found = apportionment({"grid": [[2_000_000, 1_000_000, 0], [0, 500_000, 0]],
                           "generator": [[0, 0, 9_000_000]]})
    bill = a_bill(source="grid", units=(("peak_kwh", 3060), ("offpeak_kwh", 511),
                                        ("kwh", 3500), ("demand_kw", 3000)))
    checks = check_units(bill, found)
    assert checks == (UnitCheck("peak_kwh", 3060, 3000), UnitCheck("offpeak_kwh", 511, 500),
                      UnitCheck("kwh", 3500, 3500), UnitCheck("demand_kw", 3000, 3000))
    assert [check.alarm for check in checks] == [False, True, False, False]
    finding, = unit_findings(bill, found)
    assert (finding.rule, finding.subject, finding.blocks) == (Rule.B03, "supply", False)
    assert finding.detail == "bill b: offpeak_kwh: 0.511 kWh billed, 0.500 kWh metered"
    assert str(checks[3]) == "demand_kw: 3.000 kW billed, 3.000 kW metered"


def test_units_of_a_bill_without_a_source_are_those_of_all_sources() -> None:
    found = apportionment({"grid": [[2_000_000, 0, 0]], "generator": [[0, 0, 1_000_000]]})
    assert check_units(a_bill(units=(("kwh", 1),)), found)[0].metered == 3000


def test_a_demand_that_was_never_measured_is_not_compared() -> None:
    found = apportionment({"grid": [[5, 5, 5]]})
    unmeasured = apportionment({"grid": [[5, 5, 5]]},
                               supply_measured=found.supply_measured & False)
    assert check_units(a_bill(units=(("demand_kw", 1),)), unmeasured) == ()


def test_units_of_a_band_that_the_site_lacks_are_refused() -> None:
    with pytest.raises(InputError, match=r"bill b: units\.night_kwh: s has no band 'night'"):
        check_units(a_bill(a_line(), units=(("night_kwh", 1),)),
                    apportionment({"grid": [[1, 1, 1]]}))
