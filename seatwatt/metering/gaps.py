"""Rule 7: the known total of a gap, spread over the parts of the intervals it touches."""

from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from seatwatt.contract.intervals import IntervalGrid, local_midnight_ms
from seatwatt.metering.curve import Curve
from seatwatt.metering.shape import Shape
from seatwatt.metering.split import split_groups
from seatwatt.metering.texts import local_day


@dataclass(frozen=True, slots=True, eq=False)
class Gaps:
    """Gaps of a curve in which interval boundaries lie.

    `steps` are the curve's steps, `shaped` says which took the parent's shape. `boundaries_ms`
    are the boundaries inside gaps, rising, and `totals_milliwh` the curve's total at each.
    """

    steps: NDArray[np.intp]
    shaped: NDArray[np.bool_]
    boundaries_ms: NDArray[np.int64]
    totals_milliwh: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    """Parts of gaps, one after another: which gap, and [start, end) of each."""

    gap: NDArray[np.intp]
    starts_ms: NDArray[np.int64]
    ends_ms: NDArray[np.int64]


@lru_cache(maxsize=8)
def boundaries_of(grid: IntervalGrid) -> NDArray[np.int64]:
    """The grid's boundaries as an array, made once for all meters of a site."""
    boundaries_ms = np.array(grid.boundaries_ms, np.int64)
    boundaries_ms.flags.writeable = False
    return boundaries_ms


def spread_gaps(curve: Curve, grid: IntervalGrid, shape: Shape | None) -> Gaps:
    """Find the gaps that hide a boundary of the grid and share their totals out in time."""
    steps = _hiding_steps(curve, boundaries_of(grid))
    if not len(steps):
        none = np.empty(0, np.int64)
        return Gaps(steps, np.empty(0, bool), none, none)
    starts_ms, ends_ms = curve.times_ms[steps], curve.times_ms[steps + 1]
    parts = _parts(starts_ms, ends_ms, _edges(grid, int(starts_ms[0]), int(ends_ms[-1])))
    weights, shaped = _weights(parts, starts_ms, ends_ms, shape)
    before = curve.totals_milliwh[steps]
    shares = split_groups(curve.totals_milliwh[steps + 1] - before, weights, parts.gap)
    inner = np.append(parts.gap[1:] == parts.gap[:-1], False)
    first = np.searchsorted(parts.gap, parts.gap)
    sums = np.cumsum(shares)
    totals = before[parts.gap] + sums - (sums - shares)[first]
    return Gaps(steps, shaped, parts.ends_ms[inner], totals[inner])


def _hiding_steps(curve: Curve, boundaries_ms: NDArray[np.int64]) -> NDArray[np.intp]:
    """Steps longer than max_gap with a boundary strictly inside."""
    times = curve.times_ms
    longer = np.flatnonzero(times[1:] - times[:-1] > curve.max_gap_ms)
    first = np.searchsorted(boundaries_ms, times[longer], "right")
    beyond = np.searchsorted(boundaries_ms, times[longer + 1])
    return longer[first < beyond]


def _edges(grid: IntervalGrid, start_ms: int, end_ms: int) -> NDArray[np.int64]:
    """The grid's boundaries, continued so far that they cover [start_ms, end_ms].

    A gap that reaches out of the period is cut at the same instants in every period it touches,
    so that one period's closing register is the next one's opening register.
    """
    if grid.start_ms <= start_ms and end_ms <= grid.end_ms:
        return boundaries_of(grid)
    first_ms = local_midnight_ms(local_day(start_ms, grid.zone), grid.zone)
    last_ms = local_midnight_ms(local_day(end_ms, grid.zone, 1), grid.zone)
    return _boundaries_between(min(first_ms, grid.start_ms), max(last_ms, grid.end_ms),
                               grid.interval_s, grid.zone)


@lru_cache(maxsize=64)
def _boundaries_between(start_ms: int, end_ms: int, interval_s: int, zone: ZoneInfo
                        ) -> NDArray[np.int64]:
    """Kept, for meters of a site tend to fall silent on the same days."""
    grid = IntervalGrid.between(start_ms, end_ms, interval_s, zone)
    return np.array(grid.boundaries_ms, np.int64)


def _parts(starts_ms: NDArray[np.int64], ends_ms: NDArray[np.int64], edges_ms: NDArray[np.int64]
           ) -> _Parts:
    first = np.searchsorted(edges_ms, starts_ms, "right")
    inner = np.searchsorted(edges_ms, ends_ms) - first
    gap = np.repeat(np.arange(len(starts_ms)), inner + 1)
    place = np.arange(len(gap)) - np.searchsorted(gap, gap)
    edge = first[gap] + place
    last = len(edges_ms) - 1
    return _Parts(gap,
                  np.where(place == 0, starts_ms[gap], edges_ms[np.clip(edge - 1, 0, last)]),
                  np.where(place == inner[gap], ends_ms[gap], edges_ms[np.clip(edge, 0, last)]))


def _weights(parts: _Parts, starts_ms: NDArray[np.int64], ends_ms: NDArray[np.int64],
             shape: Shape | None) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The parent's energy where it is measured throughout the gap and is not nothing at all,
    otherwise the time; and which gaps took the parent's."""
    weights = parts.ends_ms - parts.starts_ms
    shaped = np.zeros(len(starts_ms), bool)
    if shape is None:
        return weights, shaped
    shaped = shape.measured(starts_ms, ends_ms)
    known = shaped[parts.gap]
    # A parent that fed in (negative) gave its children nothing then.
    energy = np.zeros(len(weights), np.int64)
    energy[known] = np.maximum(
        shape.energy_between(parts.starts_ms[known], parts.ends_ms[known]), 0)
    used = np.zeros(len(starts_ms), np.int64)
    np.add.at(used, parts.gap, energy)
    shaped &= used > 0
    return np.where(shaped[parts.gap], energy, weights), shaped
