"""Readings become integers once, exactly, or are refused in one line."""

import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwatt.contract.errors import InputError
from seatwatt.contract.site import Exchange
from seatwatt.metering import MeterRules, RegisterColumn, register_curve
from seatwatt.metering.registers import column_milliwh, in_order, milliwh
from tests.unit.metering.days import METER, at, column, day


def one(value_wh: float, multiplier: float = 1.0) -> int:
    return int(column_milliwh(METER, column([(at("10:00"), value_wh)]), multiplier)[0])


@pytest.mark.parametrize(("value_wh", "multiplier", "expected"), [
    (0.0, 1.0, 0),
    (160_467_968.0, 1.0, 160_467_968_000),
    (44_375.417, 1.0, 44_375_417),
    (0.0005, 1.0, 0),  # half to even
    (0.0015, 1.0, 2),
    (12.3455, 1.0, 12_346),
    (12.3445, 1.0, 12_344),
    (1e9 + 0.0005, 1.0, 1_000_000_000_000),  # half to even, at nine digits
    (0.1, 0.005, 0),
    (1.001, 40.0, 40_040),
    (8_999_999_999.999, 1000.0, 8_999_999_999_999_000),
])
def test_conversion_is_exact(value_wh: float, multiplier: float, expected: int) -> None:
    assert one(value_wh, multiplier) == expected


@given(st.floats(0, 1e9), st.sampled_from([1.0, 0.1, 0.5, 40.0, 1 / 3]))
def test_whole_columns_convert_as_decimals_do(value_wh: float, multiplier: float) -> None:
    exact = Decimal(repr(value_wh)) * Decimal(repr(multiplier)) * 1000
    assert one(value_wh, multiplier) == milliwh(value_wh, multiplier) == round(exact)


@pytest.mark.parametrize("value_wh", [math.nan, math.inf, -math.inf, -0.001, 1e308, 9.1e12])
def test_what_is_no_register_reading_is_refused(value_wh: float) -> None:
    readings = day() | {at("10:15"): value_wh}
    with pytest.raises(InputError, match="is not a register reading") as caught:
        register_curve(METER, column(readings), MeterRules())
    assert str(caught.value) == (
        f"meter/hall-a/board at 2026-10-07T05:15:00Z: {value_wh} Wh is not a register reading; "
        "expected a number from 0 to 9e+12")


def test_an_exchange_with_an_impossible_register_is_refused() -> None:
    exchange = Exchange(meter=METER, at_ms=at("12:00"), final_wh=1e12, initial_wh=0.0)
    with pytest.raises(InputError, match=r"^exchange final_wh: meter/hall-a/board at 2026"):
        register_curve(METER, column(day()), MeterRules(multiplier=40), [exchange])


def test_two_exchanges_at_one_time_are_refused() -> None:
    exchange = Exchange(meter=METER, at_ms=at("12:00"), final_wh=1.0, initial_wh=0.0)
    with pytest.raises(InputError) as caught:
        register_curve(METER, column(day()), MeterRules(), [exchange, exchange])
    assert str(caught.value) == ("exchange of meter/hall-a/board: two at 2026-10-07T07:00:00Z; "
                                 "expected one at a time")


def test_columns_of_unequal_length_are_refused() -> None:
    times, values = np.arange(3), np.zeros(2)
    with pytest.raises(InputError, match=r"columns of \[2, 3\] readings"):
        RegisterColumn(times, values)
    with pytest.raises(InputError, match=r"columns of \[1, 3\] readings"):
        RegisterColumn(times, np.zeros(3), np.zeros(1, np.int64))


@pytest.mark.parametrize("field", ["max_power_w", "modulus_wh", "multiplier", "max_gap_ms"])
@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf])
def test_rules_out_of_bounds_are_refused(field: str, value: float) -> None:
    with pytest.raises(InputError, match=f"^{field}: .* is not possible; expected a number above"):
        MeterRules(**{field: value})  # type: ignore[arg-type]


def test_order_is_by_time_then_by_arrival() -> None:
    times, values = in_order(np.array([30, 10, 20, 10]), np.array([3, 1, 2, 9]), None)
    assert (times.tolist(), values.tolist()) == ([10, 20, 30], [9, 2, 3])
    received = np.array([1, 8, 1, 7])
    times, values = in_order(np.array([30, 10, 20, 10]), np.array([3, 1, 2, 9]), received)
    assert (times.tolist(), values.tolist()) == ([10, 20, 30], [1, 2, 3])
