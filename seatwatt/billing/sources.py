"""Each party's energy split over the sources, exactly both ways."""

import numpy as np

from seatwatt.billing.exact import Ints, split_rows


def split_sources(energy: Ints, supply: Ints) -> Ints:
    """energy [n, parties] and supply [sources, n], alike in sum -> [sources, n, parties].

    Sources come in the order grid, generator, solar. Each but the last is shared out in
    proportion to what the parties have left, and the last takes what remains, so that in every
    interval the sources add up to each party's energy and the parties to each source's.

    A source may be negative (grid export beside solar): the proportion then has a sign, and every
    party is credited its part of the export. Where sources cancel out to zero there is no
    proportion: each source's own amount stays with the operator (the last column).
    """
    left = energy.copy()
    parts = np.zeros((len(supply), *energy.shape), dtype=np.int64)
    for at in range(len(supply) - 1):
        has = left.sum(axis=1) != 0
        parts[at, has] = split_rows(supply[at, has], left[has])
        parts[at, ~has, -1] = supply[at, ~has]
        left -= parts[at]
    parts[-1] = left
    return parts
