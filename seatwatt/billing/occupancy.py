"""Occupied seat-time from readings of `occupied`."""

import numpy as np
from numpy.typing import NDArray

from seatwatt.billing.exact import Ints
from seatwatt.billing.holders import MIXED, Holding
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


def occupied_ms(holding: Holding, occupancy: dict[int, Spans], boundaries_ms: Ints) -> Ints:
    """[n, parties]: occupied time by holder; time in a vacant seat is the operator's.

    `occupancy` maps positions in `holding.places` to spans. Where the holder changes inside an
    interval, the moments decide.
    """
    occupied = np.zeros((len(holding.lengths_ms), len(holding.parties)), dtype=np.int64)
    rows = np.arange(len(holding.lengths_ms))
    for place, spans in occupancy.items():
        holder = holding.holder[place]
        per_interval = spans.per_interval(boundaries_ms)
        whole = holder != MIXED
        occupied[rows[whole], holder[whole]] += per_interval[whole]
        if not whole.all():
            _add_mixed(occupied, holding, place, spans, boundaries_ms, per_interval, ~whole)
    return occupied


def _add_mixed(occupied: Ints, holding: Holding, place: int, spans: Spans, boundaries_ms: Ints,
               per_interval: Ints, mixed: NDArray[np.bool_]) -> None:
    vacant = per_interval * mixed
    for claim in holding.claims:
        if claim.place == place:
            held = np.diff(claim.spans.common_before(spans, boundaries_ms)) * mixed
            occupied[:, claim.party] += held
            vacant = vacant - held
    occupied[:, -1] += vacant
