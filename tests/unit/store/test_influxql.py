"""Quoting: no name and no value ends its quotation."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwatt.contract.devices import Device
from seatwatt.contract.errors import SettingsError
from seatwatt.contract.quantities import quantity
from seatwatt.store.influxql import (
    TIME_MAX_MS,
    duration,
    literal,
    name,
    of,
    select,
    tagged,
    within,
)

UNESCAPED = {"\\\\": "\\", "\\n": "\n", "\\'": "'", '\\"': '"'}


@given(text=st.text())
@pytest.mark.parametrize(("quote", "mark"), [(name, '"'), (literal, "'")])
def test_a_quoted_text_reads_back_and_ends_only_at_its_end(quote, mark: str, text: str) -> None:
    quoted = quote(text)
    assert quoted[0] == quoted[-1] == mark
    assert re.fullmatch(rf"(?:[^\\{mark}\n]|\\.)*", quoted[1:-1]) is not None
    assert re.sub(r"\\.", lambda found: UNESCAPED[found.group()], quoted[1:-1]) == text


def test_a_select() -> None:
    assert select("last({})", "s", quantity("seat", "power"), within(1, 2)) == (
        'SELECT last("power_w") FROM "seat" WHERE "site" = \'s\' '
        'AND time >= 1ms AND time < 2ms GROUP BY "zone", "device"')
    assert select("{}", "s", quantity("seat", "power")) == (
        'SELECT "power_w" FROM "seat" WHERE "site" = \'s\' GROUP BY "zone", "device"')


def test_ranges_are_cut_to_what_nanoseconds_reach() -> None:
    assert within(-2**63, 2**63) == f"time >= {-TIME_MAX_MS}ms AND time < {TIME_MAX_MS}ms"


def test_conditions_on_tags() -> None:
    assert tagged([]) == ""
    assert tagged([("a", "1"), ("b", "it's")]) == "\"a\" = '1' AND \"b\" = 'it\\'s'"
    assert of(Device("seat", "z", "1")) == "\"zone\" = 'z' AND \"device\" = '1'"


@pytest.mark.parametrize(("text", "expected"), [
    ("", "INF"), ("INF", "INF"), ("400d", "400d"), ("52w1d", "52w1d")])
def test_durations(text: str, expected: str) -> None:
    assert duration(text) == expected


@pytest.mark.parametrize("text", ["1 year", "400", "d", "-1d", "1d; DROP DATABASE x"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(SettingsError, match="expected such as 400d"):
        duration(text)
