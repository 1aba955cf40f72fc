"""Occupied seat-time from readings of `occupied`."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from seatwatt.billing.claims import Claim
from seatwatt.billing.exact import Ints
from seatwatt.billing.holders import Holding
from seatwatt.billing.spans import Spans

HOLD_MS = 86_400_000
"""A day: sensors that speak only when something changes are believed that long."""


def occupied_spans(times_ms: Ints, values: NDArray[np.float64], hold_ms: int = HOLD_MS) -> Spans:
    """When a seat was occupied: a reading holds until the next one, at most `hold_ms`.

    `times_ms` rise strictly; a value of 0.5 or more means occupied. A seat that fell silent is
    not occupied for ever.
    """
    if len(times_ms) == 0:
        return Spans.of([])
    until = np.minimum(np.append(times_ms[1:], times_ms[-1] + hold_ms), times_ms + hold_ms)
    on = values >= 0.5
    starts, ends = times_ms[on], until[on]
    if len(starts) == 0:
        return Spans.of([])
    breaks = np.flatnonzero(starts[1:] > ends[:-1])
    return Spans(starts[np.append(0, breaks + 1)], ends[np.append(breaks, len(ends) - 1)])


def told_spans(times_ms: Ints, hold_ms: int = HOLD_MS) -> Spans:
    """When anything is known of a seat, occupied or empty: a reading holds as above."""
    return occupied_spans(times_ms, np.ones(len(times_ms)), hold_ms)


def occupied_ms(holding: Holding, occupancy: Mapping[int, Spans], boundaries_ms: Ints) -> Ints:
    """[zones, n, parties]: occupied time by holder; time in a vacant seat is the operator's.

    `occupancy` maps positions in `holding.places` to spans. Where the holder changes inside an
    interval, the moments decide.
    """
    cells = np.zeros((len(holding.places), len(holding.lengths_ms)), dtype=np.int64)
    mixed = np.zeros(len(holding.mixed.place), dtype=np.int64)
    claims: dict[int, list[Claim]] = {}
    for claim in holding.claims:
        claims.setdefault(claim.place, []).append(claim)
    for place, spans in occupancy.items():
        cells[place] = spans.per_interval(boundaries_ms)
        first, end = np.searchsorted(holding.mixed.place, (place, place + 1))
        if first < end:
            mixed[first:end] = _mixed_ms(holding, slice(first, end), spans, cells[place],
                                         claims[place], boundaries_ms)
    return holding.by_zone(cells, mixed)


def _mixed_ms(holding: Holding, entries: slice, spans: Spans, occupied: Ints,
              claims: list[Claim], boundaries_ms: Ints) -> Ints:
    """How long a place was occupied in each of its entries of `holding.mixed`."""
    interval, party = holding.mixed.interval[entries], holding.mixed.party[entries]
    operator = len(holding.parties) - 1
    found = np.where(party == operator, occupied[interval], 0)
    for claim in claims:
        held = np.diff(claim.spans.common_before(spans, boundaries_ms))[interval]
        found += np.where(party == claim.party, held, 0)
        found -= np.where(party == operator, held, 0)
    return found
