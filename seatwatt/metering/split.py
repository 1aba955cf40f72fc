"""Largest-remainder splits of many totals at once, exact in integers."""

import numpy as np
from numpy.typing import NDArray

_INT64_MAX = 2**63 - 1


def product_over(factor: NDArray[np.int64], part: NDArray[np.int64], whole: NDArray[np.int64]
                 ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """factor x part / whole as (floor, remainder), for 0 <= part <= whole, whole > 0.

    Exact for any int64 factor >= 0: where int64 could overflow, Python's integers do it.
    """
    # The largest product below is a remainder, less than its whole, times a part.
    if len(whole) and int(whole.max()) * int(part.max()) > _INT64_MAX:
        exact = factor.astype(object) * part
        return (exact // whole).astype(np.int64), (exact % whole).astype(np.int64)
    quotient, rest = np.divmod(factor, whole)
    product = rest * part
    floor = product // whole
    return quotient * part + floor, product - floor * whole


def split_groups(totals: NDArray[np.int64], weights: NDArray[np.int64], group: NDArray[np.intp]
                 ) -> NDArray[np.int64]:
    """Split totals[g] (>= 0) over the entries of group g, in proportion to their weights.

    `group` is rising, 0 to len(totals) - 1, each with a positive sum of weights (>= 0). Every
    split adds up to its total; what flooring leaves goes to the largest remainders, one each,
    the earlier of equals first.
    """
    wholes = np.zeros(len(totals), np.int64)
    np.add.at(wholes, group, weights)
    shares, remainders = product_over(totals[group], weights, wholes[group])
    left = totals.copy()
    np.subtract.at(left, group, shares)
    order = np.lexsort((-remainders, group))
    first = np.searchsorted(group, np.arange(len(totals)))
    rank = np.arange(len(group)) - first[group[order]]
    shares[order] += rank < left[group[order]]
    return shares
