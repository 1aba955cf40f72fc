"""Each party's energy over the sources: exact both ways."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwatt.billing.sources import split_sources


@pytest.mark.parametrize(("energy", "supply", "parts"), [
    ([30, 70, 0], [100], [[30, 70, 0]]),
    ([30, 70, 0], [60, 40], [[18, 42, 0], [12, 28, 0]]),
    ([30, 70, 0], [0, 100], [[0, 0, 0], [30, 70, 0]]),
    ([1, 1, 1], [1, 1, 1], [[1, 0, 0], [0, 1, 0], [0, 0, 1]]),
    ([750, 250, 0], [-500, 1500], [[-375, -125, 0], [1125, 375, 0]]),     # export beside solar
    ([-3, -9, 0], [-12], [[-3, -9, 0]]),                                  # only export
    ([0, 0, 0], [0, 0], [[0, 0, 0], [0, 0, 0]]),                          # an outage
    ([0, 0, 0], [-50, 50], [[0, 0, -50], [0, 0, 50]]),                    # all that is made leaves
    ([5, -5, 0], [-50, 50], [[0, 0, -50], [5, -5, 50]]),
])
def test_by_hand(energy: list[int], supply: list[int], parts: list[list[int]]) -> None:
    found = split_sources(np.array([energy]), np.array(supply)[:, None])
    assert found[:, 0].tolist() == parts


amounts = st.integers(-10**9, 10**9)


@given(st.lists(st.tuples(st.lists(amounts, min_size=4, max_size=4), amounts, amounts),
                min_size=1, max_size=8))
def test_sums_are_exact_both_ways(rows: list[tuple[list[int], int, int]]) -> None:
    energy = np.array([row[0] for row in rows], dtype=np.int64)
    first, second = (np.array([row[at] for row in rows], dtype=np.int64) for at in (1, 2))
    supply = np.array([first, second, energy.sum(axis=1) - first - second])
    parts = split_sources(energy, supply)
    assert np.array_equal(parts.sum(axis=0), energy)
    assert np.array_equal(parts.sum(axis=2), supply)


@given(st.lists(st.integers(0, 10**6), min_size=3, max_size=3).filter(any),
       st.lists(st.integers(0, 100), min_size=3, max_size=3).filter(any))
def test_nobody_gets_a_negative_part_of_positive_sources(energy: list[int],
                                                         mix: list[int]) -> None:
    total = sum(energy)
    first, second = (total * mix[at] // sum(mix) for at in (0, 1))
    supply = np.array([[first], [second], [total - first - second]])
    assert (split_sources(np.array([energy]), supply) >= 0).all()
