"""Who holds a place in each interval. Places that the same leases claim share one pattern."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seatwatt.billing.claims import Claim
from seatwatt.billing.exact import Ints
from seatwatt.billing.spans import Spans

MIXED = -1
"""In place of a holder: several parties hold parts of the interval."""

_NONE = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """`holder` [n] is the party that holds the whole interval (the operator where it is vacant)
    or MIXED. `interval`, `party` and `held_ms` say who holds the mixed ones for how long, by
    interval and party."""

    holder: NDArray[np.int16]
    interval: Ints
    party: Ints
    held_ms: Ints


def places_alike(claims: Iterable[Claim], places: int) -> tuple[Ints, list[list[Claim]]]:
    """[places]: which of the sets of claims, given second, each place has."""
    of_place: list[list[Claim]] = [[] for _ in range(places)]
    for claim in claims:
        of_place[claim.place].append(claim)
    known: dict[tuple[tuple[int, int], ...], int] = {}
    sets: list[list[Claim]] = []
    alike = np.zeros(places, dtype=np.int64)
    for place, mine in enumerate(of_place):
        # Claims of one lease, and of leases of one shift and span, share their spans.
        key = tuple((claim.party, id(claim.spans)) for claim in mine)
        if key not in known:
            known[key] = len(sets)
            sets.append(mine)
        alike[place] = known[key]
    return alike, sets


class Painter:
    """Makes patterns; the last party is the operator, who holds what nobody claims."""

    def __init__(self, boundaries_ms: Ints, parties: int) -> None:
        self._boundaries_ms, self._parties = boundaries_ms, parties
        self._lengths_ms: Ints = np.diff(boundaries_ms)
        self._known: dict[int, tuple[Ints, NDArray[np.bool_], Ints]] = {}

    def pattern(self, claims: Iterable[Claim]) -> Pattern | None:
        """What these claims on one place make of it; None where two of them meet."""
        vacant = self._parties - 1
        holder = np.full(len(self._lengths_ms), vacant, dtype=np.int16)
        covers = [(claim.party, *self._cover(claim.spans)) for claim in claims]
        for party, _, whole, _ in covers:
            if (holder[whole] != vacant).any():
                return None
            holder[whole] = party
        mixed = np.unique(np.concatenate([_NONE, *(some for *_, some in covers)]))
        mixed_ms = np.zeros((len(mixed), self._parties), dtype=np.int64)
        for party, held_ms, _, _ in covers:
            mixed_ms[:, party] += held_ms[mixed]
        free_ms = self._lengths_ms[mixed] - mixed_ms.sum(axis=1)
        if (free_ms < 0).any():
            return None
        mixed_ms[:, vacant] += free_ms
        holder[mixed] = MIXED
        row, who = np.nonzero(mixed_ms)
        return Pattern(holder, mixed[row], who, mixed_ms[row, who])

    def _cover(self, spans: Spans) -> tuple[Ints, NDArray[np.bool_], Ints]:
        """How long the spans hold each interval, which they hold whole, and which in part."""
        if id(spans) not in self._known:
            held_ms = spans.per_interval(self._boundaries_ms)
            whole = held_ms == self._lengths_ms
            self._known[id(spans)] = held_ms, whole, np.flatnonzero((held_ms > 0) & ~whole)
        return self._known[id(spans)]
