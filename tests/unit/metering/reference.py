"""Rules 1 to 8 read word for word, slowly, in plain Python: what the fast code must equal."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

Reading = tuple[int, int]
"""(time in ms, register in mWh)."""
Found = tuple[str, int, int, int]
"""(rule, from, to, energy counted)."""


@dataclass
class Plain:
    """A meter's rules; `exchanges` are (time, final, initial)."""

    max_power_w: int | None = None
    modulus: int | None = None
    max_gap_ms: int = 900_000
    exchanges: Sequence[tuple[int, int, int]] = ()
    accepted: Sequence[int] = ()

    def plausible(self, energy: int, elapsed_ms: int) -> bool:
        if self.max_power_w is None:
            return True
        limit = Fraction(self.max_power_w * elapsed_ms, 3600) * Fraction(11, 10) + 10_000
        return energy <= limit


@dataclass
class PlainCurve:
    """Steps (start reading, end reading, energy, doubtful), in order, and what was found."""

    steps: list[tuple[Reading, Reading, int, bool]] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    found: list[Found] = field(default_factory=list)
    max_gap_ms: int = 900_000

    def total(self, at_ms: int) -> int:
        """Energy up to an instant between the first and the last reading."""
        total = 0
        for (start, low), (end, _), energy, _ in self.steps:
            if at_ms >= end:
                total += energy
                if at_ms == end:
                    break
            else:
                part = Fraction(energy * max(at_ms - start, 0), end - start)
                total += round(low + part) - low
                break
        return total

    def covers(self, at_ms: int) -> bool:
        return bool(self.times) and self.times[0] <= at_ms <= self.times[-1]

    def measured(self, start_ms: int, end_ms: int) -> bool:
        inside = [step for step in self.steps
                  if step[0][0] < end_ms and step[1][0] > start_ms]
        return (len(self.times) > 1 and self.covers(start_ms) and self.covers(end_ms)
                and all(step[1][0] - step[0][0] <= self.max_gap_ms and not step[3]
                        for step in inside))


def plain_curve(readings: Sequence[Reading], plain: Plain) -> PlainCurve:
    """Rules 1 to 5; of two readings at one time the later in the list stands."""
    latest = sorted(dict(readings).items())
    curve = PlainCurve(max_gap_ms=plain.max_gap_ms)
    opening: list[Reading] = []
    for at, final, initial in sorted(plain.exchanges):
        old = [reading for reading in latest if reading[0] < at]
        latest = [reading for reading in latest if reading[0] >= at]
        _segment([*opening, *old, (at, final)], plain, curve, len(opening) > 0, True)
        opening = [(at, initial)]
    _segment([*opening, *latest], plain, curve, len(opening) > 0, False)
    return curve


def _segment(series: list[Reading], plain: Plain, curve: PlainCurve, opened: bool, closed: bool
             ) -> None:
    p: Reading | None = None
    for place, j in enumerate(series):
        if p is None:
            if curve.times:
                curve.steps.append(((curve.times[-1], 0), j, 0, False))
        elif j[0] not in plain.accepted and _outlier(p, j, series[place + 1:place + 4], plain):
            curve.found.append(("R03" if j[1] > p[1] else "R04", j[0], j[0], 0))
            continue
        else:
            declared = (opened and p is series[0]) or (closed and j is series[-1])
            energy, doubtful = _step(p, j, plain, curve, declared)
            curve.steps.append((p, j, energy, doubtful))
        curve.times.append(j[0])
        p = j


def _outlier(p: Reading, j: Reading, after: Sequence[Reading], plain: Plain) -> bool:
    return any(p[1] <= n[1] and plain.plausible(n[1] - p[1], n[0] - p[0])
               and not p[1] <= j[1] <= n[1] for n in after)


def _step(p: Reading, j: Reading, plain: Plain, curve: PlainCurve, declared: bool
          ) -> tuple[int, bool]:
    accepted = j[0] in plain.accepted
    elapsed = j[0] - p[0]
    if j[1] < p[1]:
        rolled = None if plain.modulus is None else j[1] + plain.modulus - p[1]
        if rolled is not None and rolled >= 0 and (accepted or plain.plausible(rolled, elapsed)):
            curve.found.append(("R05", p[0], j[0], rolled))
            return rolled, False
        if declared and plain.max_power_w is None:
            curve.found.append(("R07", p[0], j[0], 0))
            return 0, True
        energy = j[1] if accepted or plain.plausible(j[1], elapsed) else 0
        curve.found.append(("R06", p[0], j[0], energy))
        return energy, True
    if plain.plausible(j[1] - p[1], elapsed):
        return j[1] - p[1], False
    counted = j[1] - p[1] if accepted else 0
    curve.found.append(("R07", p[0], j[0], counted))
    return counted, not accepted


def plain_energy(curve: PlainCurve, boundaries: Sequence[int], step_ms: int,
                 parent: PlainCurve | None = None) -> tuple[list[int], list[int]]:
    """Rules 6 to 8: energy and quality (0 measured, 1 estimated, 2 missing) by interval."""
    hidden: dict[int, int] = {}
    before = 0
    for step in curve.steps:
        if step[1][0] - step[0][0] > curve.max_gap_ms:
            hidden |= _spread(step, before, boundaries, step_ms, parent)
        before += step[2]
    energies, qualities = [], []
    for start, end in pairwise(boundaries):
        if not (curve.covers(start) and curve.covers(end)):
            energies.append(0)
            qualities.append(2)
            continue
        totals = [hidden.get(at, curve.total(at)) for at in (start, end)]
        energies.append(totals[1] - totals[0])
        doubtful = any(s[3] and (s[0][0] < start < s[1][0] or s[0][0] < end < s[1][0])
                       for s in curve.steps)
        qualities.append(int(start in hidden or end in hidden or doubtful))
    return energies, qualities


def _spread(step: tuple[Reading, Reading, int, bool], before: int, boundaries: Sequence[int],
            step_ms: int, parent: PlainCurve | None) -> dict[int, int]:
    (start, _), (end, _), total, _ = step
    first = start - (start - boundaries[0]) % step_ms + step_ms
    cuts = [start, *range(first, end, step_ms), end]
    parts = list(pairwise(cuts))
    weights = [b - a for a, b in parts]
    if parent is not None and parent.measured(start, end):
        used = [max(parent.total(b) - parent.total(a), 0) for a, b in parts]
        weights = used if sum(used) else weights
    shares = largest_remainder(total, weights)
    return {cut: before + sum(shares[:k]) for k, cut in enumerate(cuts) if 0 < k < len(parts)}


def largest_remainder(total: int, weights: Sequence[int]) -> list[int]:
    """`total` in proportion to the weights, ties to the earlier."""
    whole = sum(weights)
    shares = [total * weight // whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda k: (-(total * weights[k] % whole), k))
    for k in order[:total - sum(shares)]:
        shares[k] += 1
    return shares
