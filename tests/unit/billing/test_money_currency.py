"""Amounts as texts and as minor units."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwatt.billing.money_currency import DECIMALS, decimals_of, format_amount, parse_amount
from seatwatt.contract.errors import InputError

currencies = st.sampled_from(sorted(DECIMALS))


@given(st.integers(-10**11, 10**11), currencies)
def test_every_amount_survives_its_text(minor: int, currency: str) -> None:
    assert parse_amount("amount", format_amount(minor, currency), currency) == minor


@pytest.mark.parametrize(("text", "currency", "minor"), [
    ("507435.60", "PKR", 50743560), ("3144685", "PKR", 314468500), ("-16.8", "PKR", -1680),
    ("1250", "JPY", 1250), ("0.005", "KWD", 5), ("-0.01", "USD", -1), ("0", "PKR", 0)])
def test_amounts_as_bills_print_them(text: str, currency: str, minor: int) -> None:
    assert parse_amount("amount", text, currency) == minor


@pytest.mark.parametrize(("value", "currency", "said"), [
    ("1.005", "PKR", "more decimals than PKR"),
    ("1.5", "JPY", 'more decimals than JPY; expected a text with at most 0 decimals, such as "12'),
    (507435.6, "PKR", 'not an amount; expected a text with at most 2 decimals'),
    (5, "PKR", "not an amount"), ("1,250.00", "PKR", "not an amount"), ("", "PKR", "not an amount"),
    ("Rs 5", "PKR", "not an amount"), ("1e5", "PKR", "not an amount"), (None, "PKR", "not an"),
    ("9" * 14, "PKR", "too large"), ("5", "XYZ", "'XYZ' is unknown"),
    ("٣", "PKR", "not an amount")])
def test_what_is_no_amount_is_refused(value: object, currency: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_amount("amount", value, currency)


def test_decimals_are_those_of_the_currency() -> None:
    assert [decimals_of(code) for code in ("PKR", "JPY", "KWD")] == [2, 0, 3]
    with pytest.raises(InputError, match="'RS' is unknown; expected an ISO 4217 code"):
        decimals_of("RS")
