"""The largest-remainder rule: by hand, as a law, and by rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwatt.billing.exact import split, split_groups, split_rows


@pytest.mark.parametrize(("whole", "weights", "parts"), [
    (100, [1, 1, 1], [34, 33, 33]),        # a tie goes to the first
    (-100, [1, 1, 1], [-34, -33, -33]),    # a refund mirrors the charge
    (5, [0, 3, 0], [0, 5, 0]),             # no weight, nothing
    (10, [1, 2, 4], [1, 3, 6]),            # 1.43, 2.86, 5.71: the largest remainders are .86, .71
    (0, [7, 1], [0, 0]),
    (7, [-1, 3], [-3, 10]),                # a negative weight: -3.5 and 10.5, the tie to the first
    (7, [-2, -5], [2, 5]),
])
def test_by_hand(whole: int, weights: list[int], parts: list[int]) -> None:
    assert split(whole, weights) == parts
    assert split_rows(np.array([whole]), np.array([weights])).tolist() == [parts]


def test_weights_that_cancel_out_are_refused() -> None:
    with pytest.raises(ValueError, match="do not add up to zero"):
        split(1, [0, 0])
    with pytest.raises(ValueError, match="do not add up to zero"):
        split_rows(np.array([1]), np.array([[1, -1]]))


rows = st.lists(st.tuples(st.integers(-10**12, 10**12),
                          st.lists(st.integers(0, 10**6), min_size=5, max_size=5)), max_size=20)


@given(rows)
def test_rows_are_the_scalar_rule(rows: list[tuple[int, list[int]]]) -> None:
    rows = [(whole, weights) for whole, weights in rows if sum(weights)]
    wholes = np.array([whole for whole, _ in rows], dtype=np.int64)
    weights = np.array([row for _, row in rows], dtype=np.int64).reshape(len(rows), 5)
    assert split_rows(wholes, weights).tolist() == [split(*row) for row in rows]


@given(rows)
def test_groups_are_the_scalar_rule(rows: list[tuple[int, list[int]]]) -> None:
    rows = [(whole, [weight for weight in weights if weight]) for whole, weights in rows
            if any(weights)]
    group = np.array([at for at, (_, weights) in enumerate(rows) for _ in weights], dtype=np.int64)
    wholes = np.array([rows[at][0] for at in group], dtype=np.int64)
    weights = np.array([weight for _, row in rows for weight in row], dtype=np.int64)
    assert split_groups(wholes, weights, group).tolist() == [
        part for row in rows for part in split(*row)]


@given(st.integers(-10**18, 10**18),
       st.lists(st.integers(0, 10**18), min_size=1, max_size=9).filter(any))
def test_parts_add_up_and_lie_within_one_of_their_quota(whole: int, weights: list[int]) -> None:
    parts, total = split(whole, weights), sum(weights)
    assert sum(parts) == whole
    assert all(abs(part * total - whole * weight) < total
               for part, weight in zip(parts, weights, strict=True))
    assert split(-whole, weights) == [-part for part in parts]


def test_products_beyond_64_bits_are_exact() -> None:
    whole, weights = 10**12 + 1, [10**9 + 7, 3 * 10**9, 10**9 + 9]
    parts = split_rows(np.array([whole]), np.array([weights]))
    assert parts.tolist() == [split(whole, weights)]
    assert int(parts.sum()) == whole


@given(st.integers(-10**9, 10**9), st.lists(st.integers(-50, 10**6), min_size=2, max_size=5)
       .filter(sum))
def test_a_common_factor_of_the_weights_changes_nothing(whole: int, weights: list[int]) -> None:
    many = [weight * 3_600_000_000 for weight in weights]   # whole x weight is beyond 64 bits
    parts = split_rows(np.array([whole]), np.array([many]))
    assert parts.tolist() == [split(whole, many)] == [split(whole, weights)]
