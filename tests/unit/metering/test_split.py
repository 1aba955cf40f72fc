"""Largest remainder over many groups, beyond what int64 products can hold."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from seatwatt.metering.split import product_over, split_groups
from tests.unit.metering.reference import largest_remainder

GROUPS = st.lists(st.tuples(
    st.integers(0, 9 * 10**15),
    st.lists(st.integers(0, 10**12), min_size=1, max_size=6).filter(any)), min_size=1, max_size=5)


def test_the_largest_remainders_get_what_is_left_ties_to_the_earlier() -> None:
    group = np.array([0, 0, 0, 1, 1])
    weights = np.array([1, 1, 1, 1, 3])
    # 100 / 3 leaves 1 for the first; 10 in 1:3 is 2.5 and 7.5, equal remainders.
    shares = split_groups(np.array([100, 10]), weights, group)
    assert shares.tolist() == [34, 33, 33, 3, 7]


@given(GROUPS)
def test_every_group_is_split_as_a_plain_loop_splits_it(groups: list[tuple[int, list[int]]]
                                                        ) -> None:
    totals = np.array([total for total, _ in groups], np.int64)
    weights = np.array([w for _, many in groups for w in many], np.int64)
    group = np.repeat(np.arange(len(groups)), [len(many) for _, many in groups])
    shares = split_groups(totals, weights, group).tolist()
    assert shares == [s for total, many in groups for s in largest_remainder(total, many)]


def test_products_beyond_int64_are_exact() -> None:
    # 9e15 mWh over 40 days, at one third of them plus a millisecond.
    whole = 40 * 86_400_000
    floor, rest = product_over(np.array([9 * 10**15]), np.array([whole // 3 + 1]),
                               np.array([whole]))
    assert int(floor[0]) * whole + int(rest[0]) == 9 * 10**15 * (whole // 3 + 1)
    assert 0 <= rest[0] < whole
