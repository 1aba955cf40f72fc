"""Sets of moments: rising, disjoint, half-open spans of UTC milliseconds."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from seatwatt.billing.exact import Ints


@dataclass(frozen=True, slots=True, eq=False)
class Spans:
    """Span i is [starts_ms[i], ends_ms[i]); int64 arrays, rising, disjoint, none empty."""

    starts_ms: Ints
    ends_ms: Ints

    @classmethod
    def of(cls, pairs: list[tuple[int, int]]) -> Self:
        """From (start, end) pairs that are rising and disjoint already."""
        both = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        return cls(both[:, 0], both[:, 1])

    def within(self, start_ms: int, end_ms: int) -> Self:
        """Those moments that lie in [start_ms, end_ms)."""
        starts, ends = np.maximum(self.starts_ms, start_ms), np.minimum(self.ends_ms, end_ms)
        some = starts < ends
        return type(self)(starts[some], ends[some])

    def before(self, at_ms: Ints) -> Ints:
        """How many milliseconds of these spans lie before each moment of `at_ms`."""
        if len(self.starts_ms) == 0:
            return np.zeros(len(at_ms), dtype=np.int64)
        lengths = self.ends_ms - self.starts_ms
        done = np.concatenate(([0], np.cumsum(lengths)))
        at = np.searchsorted(self.starts_ms, at_ms, side="right") - 1
        inside = np.clip(at_ms - self.starts_ms[at], 0, lengths[at])
        return np.where(at < 0, 0, done[at] + inside)

    def per_interval(self, boundaries_ms: Ints) -> Ints:
        """Milliseconds of these spans in each interval."""
        return np.diff(self.before(boundaries_ms))

    def common_before(self, other: "Spans", at_ms: Ints) -> Ints:
        """As `before`, of the moments that are in `other` too."""
        low, high = other.before(self.starts_ms), other.before(self.ends_ms)
        if len(low) == 0:
            return np.zeros(len(at_ms), dtype=np.int64)
        done = np.concatenate(([0], np.cumsum(high - low)))
        at = np.searchsorted(self.starts_ms, at_ms, side="right") - 1
        inside = other.before(np.clip(at_ms, self.starts_ms[at], self.ends_ms[at])) - low[at]
        return np.where(at < 0, 0, done[at] + inside)
