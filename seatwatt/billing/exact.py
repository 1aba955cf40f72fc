"""Exact splits: integers in, integers out, the parts add up to the whole.

The largest-remainder rule (Hamilton's method): each party gets the floor of its quota, and what
is left goes one unit each to the largest remainders, ties to the party that comes first. Parties
are ordered by id with `operator` last. A negative whole is split as its absolute value and the
parts negated, so that a refund mirrors the charge.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seatwatt.metering.split import split_groups as split_positive

Ints = NDArray[np.int64]

INT64_MAX = 2**63 - 1


def split(whole: int, weights: Sequence[int]) -> list[int]:
    """`whole` in proportion to `weights`, whose sum must not be zero.

    >>> split(100, [1, 1, 1])
    [34, 33, 33]
    >>> split(-100, [1, 1, 1])
    [-34, -33, -33]
    """
    total = sum(weights)
    if total == 0:
        raise ValueError("a split needs weights that do not add up to zero")
    if total < 0:
        total, weights = -total, [-weight for weight in weights]
    quotas = [divmod(abs(whole) * weight, total) for weight in weights]
    left = abs(whole) - sum(part for part, _ in quotas)
    ranked = sorted(range(len(quotas)), key=lambda party: -quotas[party][1])
    parts = [part for part, _ in quotas]
    for party in ranked[:left]:
        parts[party] += 1
    return parts if whole >= 0 else [-part for part in parts]


def split_rows(wholes: Ints, weights: Ints) -> Ints:
    """`split` of every row: wholes [n] and weights [n, parties] -> parts [n, parties].

    Rows whose weights add up to zero are an error, as in `split`. Products beyond 64 bits are
    taken row by row in Python's integers, which the weights may be themselves.
    """
    used = np.flatnonzero((weights != 0).any(axis=0))
    parts = np.zeros(weights.shape, dtype=np.int64)
    parts[:, used] = _split_dense(wholes, weights[:, used])
    return parts


def _split_dense(wholes: Ints, weights: Ints) -> Ints:
    parties = weights.shape[1]
    highest = max(_largest(wholes), parties)
    if highest * _largest(weights) * parties > INT64_MAX:
        # Held time has large common factors, and without them a row splits alike.
        weights = weights // np.maximum(np.gcd.reduce(weights, axis=1), 1)[:, None]
    if highest * _largest(weights) * parties > INT64_MAX:
        rows = [split(whole, row) for whole, row in zip(wholes.tolist(), weights.tolist(),
                                                        strict=True)]
        return np.array(rows, dtype=np.int64).reshape(weights.shape)
    weights = weights.astype(np.int64, copy=False)
    totals = weights.sum(axis=1)
    if (totals == 0).any():
        raise ValueError("a split needs weights that do not add up to zero")
    sign = np.where(totals < 0, -1, 1)
    parts, remainders = np.divmod(np.abs(wholes)[:, None] * (weights * sign[:, None]),
                                  (totals * sign)[:, None])
    left = np.abs(wholes) - parts.sum(axis=1)
    # Remainders with their rank among ties are all different, so that the smallest one that
    # still gets a unit tells for the whole row who does.
    ranked = remainders * parties + np.arange(parties - 1, -1, -1)
    lowest = np.take_along_axis(np.sort(ranked, axis=1), (parties - left)[:, None] % parties, 1)
    parts += (ranked >= lowest) & (left > 0)[:, None]
    return parts * np.where(wholes < 0, -1, 1)[:, None]


def split_groups(wholes: Ints, weights: Ints, group: Ints) -> Ints:
    """`split` of many wholes over few parties each: arrays of one entry a whole and party, where
    `group` counts the wholes up from 0; weights are positive, entries in the parties' order."""
    first = np.flatnonzero(np.diff(group, prepend=-1))
    parts = split_positive(np.abs(wholes[first]), weights, group)
    return np.where(wholes < 0, -parts, parts)


def _largest(values: Ints) -> int:
    return int(np.abs(values).max(initial=0))
