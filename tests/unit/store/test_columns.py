"""Columns from pieces, and readings beyond the margins, against a plain statement of the law."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from seatwatt.contract.devices import Device
from seatwatt.store.columns import ColumnBuilder, with_neighbours
from seatwatt.store.ports import Column

A, B = Device("meter", "z", "a"), Device("meter", "z", "b")


def column(times: list[int]) -> Column:
    return Column(np.array(times, np.int64), np.array(times, np.float64))


def test_pieces_become_one_column() -> None:
    builder = ColumnBuilder()
    for device, times in [(A, [1, 2]), (B, [1]), (A, []), (A, [3]), (A, [4, 5])]:
        builder.add(device, column(times))
    found = builder.columns()
    assert {device: c.times_ms.tolist() for device, c in found.items()} == {
        A: [1, 2, 3, 4, 5], B: [1]}
    assert found[A].values.tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert builder.columns() == {}


def test_a_device_without_readings_leaves_no_trace() -> None:
    builder = ColumnBuilder()
    builder.add(A, column([]))
    assert builder.columns() == {}


@given(times=st.sets(st.integers(0, 40)), start=st.integers(5, 30), length=st.integers(1, 10),
       margin=st.integers(0, 5))
def test_a_boundary_finds_the_readings_on_both_sides(times: set[int], start: int, length: int,
                                                     margin: int) -> None:
    end, ordered = start + length, sorted(times)
    low, high = start - margin, end + margin
    inside = [t for t in ordered if low <= t < high]
    below, above = [t for t in ordered if t < low], [t for t in ordered if t >= high]

    found = with_neighbours({A: column(inside)} if inside else {},
                            {A: (below[-1], float(below[-1]))} if below else {},
                            {A: (above[0], float(above[0]))} if above else {}, start, end)

    expected = inside
    if below and not any(t < start for t in inside):
        expected = [below[-1], *expected]
    if above and not any(t >= end for t in inside):
        expected = [*expected, above[0]]
    if not inside and not below:
        assert found == {}
    else:
        assert found[A].times_ms.tolist() == expected
        assert found[A].values.tolist() == [float(t) for t in expected]
