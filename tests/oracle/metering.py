"""Registers to energy, one reading at a time, in exact fractions. Imports nothing of Seatwatt."""

import itertools
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

Reading = tuple[int, int]
"""(time in ms, register in milliwatt-hours)."""


def split(total: int, weights: dict[str, Any]) -> dict[str, int]:
    """Largest remainder; ties to the id that sorts first, the operator last."""
    if total < 0:
        return {party: -part for party, part in split(-total, weights).items()}
    weight = sum(weights.values())
    parts = {party: total * w // weight for party, w in weights.items()}
    order = sorted(weights, key=lambda p: (-(total * weights[p] % weight), p == "operator", p))
    for party in order[:total - sum(parts.values())]:
        parts[party] += 1
    return parts


@dataclass
class Step:
    """From one accepted reading to the next; `register` is what the first one showed."""

    start: int
    end: int
    energy: int
    register: int
    estimated: bool = False

    def until(self, at: int) -> int:
        """Energy up to an instant within: the register there, rounded half to even, less the
        register at its start."""
        part = Fraction(self.energy * (at - self.start), self.end - self.start)
        return round(self.register + part) - self.register


Told = tuple[str, int, int]
"""A finding: rule, and the step's two ends (of a dropped reading its time, twice)."""


@dataclass
class Meter:
    """What a meter's readings say: steps in order, and findings."""

    steps: list[Step] = field(default_factory=list)
    findings: list[Told] = field(default_factory=list)


def ordered(readings: list[tuple[int, int, int]]) -> list[Reading]:
    """(taken, received, value) sorted by taken; of equals the one received later stands."""
    latest = {taken: value for taken, _, value in sorted(readings, key=lambda r: r[1])}
    return sorted(latest.items())


def judge(series: list[Reading], max_power_w: float | None, modulus: int | None,
          accepted: frozenset[int], declared: list[Reading]) -> Meter:
    """Rules 3 to 5 over one stretch without exchanges; `accepted` are times of true leaps.
    A register `declared` with an exchange that contradicts the readings is no reset."""
    def plausible(p: Reading, energy: int, until: int) -> bool:
        if max_power_w is None:
            return True
        # energy <= power x elapsed x 1.1 + 10 Wh, in whole numbers: W x ms / 3600 = mWh
        return (energy - 10_000) * 36_000 <= max_power_w * (until - p[0]) * 11

    meter, i = Meter(), 1
    if not series:
        return meter
    p = series[0]
    while i < len(series):
        j = series[i]
        outlier = any(p[1] <= n[1] and plausible(p, n[1] - p[1], n[0])
                      and not p[1] <= j[1] <= n[1] for n in series[i + 1:i + 4])
        if outlier:
            meter.findings.append(("R03" if j[1] > p[1] else "R04", j[0], j[0]))
        else:
            step = Step(p[0], j[0], j[1] - p[1], p[1])
            if (step.energy < 0 and modulus and step.energy + modulus >= 0
                    and plausible(p, step.energy + modulus, j[0])):
                step.energy += modulus
                meter.findings.append(("R05", p[0], j[0]))
            elif step.energy < 0 and max_power_w is None and (p in declared or j in declared):
                meter.findings.append(("R07", p[0], j[0]))
                step.energy, step.estimated = 0, True
            elif step.energy < 0:
                step.energy = j[1] if plausible(p, j[1], j[0]) else 0
                step.estimated = True
                meter.findings.append(("R06", p[0], j[0]))
            elif not plausible(p, step.energy, j[0]):
                meter.findings.append(("R07", p[0], j[0]))
                if j[0] not in accepted:
                    step.energy, step.estimated = 0, True
            meter.steps.append(step)
            p = j
        i += 1
    return meter


def read(readings: list[tuple[int, int, int]], exchanges: list[tuple[int, int, int]],
         max_power_w: float | None, modulus: int | None,
         accepted: frozenset[int] = frozenset()) -> Meter:
    """All stretches between exchanges (at, final, initial), one after the other."""
    series, result = ordered(readings), Meter()
    start: list[Reading] = []
    for at, final, initial in [*sorted(exchanges), (1 << 62, 0, 0)]:
        stretch = start + [r for r in series if r[0] < at]
        series = [r for r in series if r[0] >= at]
        if at < 1 << 62 and (stretch or start):
            stretch.append((at, final))
        declared = [*start, *([(at, final)] if at < 1 << 62 else [])]
        part = judge(stretch, max_power_w, modulus, accepted, declared)
        result.steps += part.steps
        result.findings += part.findings
        start = [(at, initial)]
    return result


Shape = Callable[[int, int], int | None]
"""Energy between two times, or None where it is not measured."""


@dataclass
class Energy:
    """Per interval: energy, quality ('measured', 'estimated', 'missing'), and the curve."""

    energy: list[int]
    quality: list[str]
    between: Shape
    findings: list[Told]


def spread(step: Step, cuts: list[int], parent: Shape | None) -> list[int]:
    """A gap's total over its parts: like the parent where measured, else evenly in time."""
    edges = [step.start, *cuts, step.end]
    pairs = list(itertools.pairwise(edges))
    shape: list[Any] = [parent(a, b) for a, b in pairs] if parent else [None]
    if any(s is None for s in shape) or sum(max(s, 0) for s in shape) <= 0:
        shape = [b - a for a, b in pairs]
    parts = split(step.energy, {f"{k:06d}": max(int(s), 0) for k, s in enumerate(shape)})
    return [parts[f"{k:06d}"] for k in range(len(pairs))]


def energies(meter: Meter, boundaries: list[int], grid: list[int], max_gap_ms: int,
             parent: Shape | None) -> Energy:
    """Registers at the boundaries, their differences, and how far each can be trusted. `grid` are
    the boundaries at hand, those beside the period as well: all of them cut a gap."""
    steps = meter.steps
    starts, cumulative, total = [s.start for s in steps], [], 0
    for step in steps:
        cumulative.append(total)
        total += step.energy
    at: list[int | None] = []
    gap_parts: dict[int, dict[int, int]] = {}
    wide: list[bool] = []
    for b in boundaries:
        k = bisect_right(starts, b) - 1
        if k >= 0 and b == steps[k].start:
            at.append(cumulative[k])
            wide.append(False)
        elif k < 0 or b > steps[k].end:
            at.append(None)
            wide.append(True)
        elif b == steps[k].end:
            at.append(cumulative[k] + steps[k].energy)
            wide.append(False)
        elif steps[k].end - steps[k].start > max_gap_ms:
            if k not in gap_parts:
                cuts = [c for c in grid if steps[k].start < c < steps[k].end]
                parts, so_far, known = spread(steps[k], cuts, parent), 0, {}
                for cut, part in zip(cuts, parts, strict=False):
                    so_far += part
                    known[cut] = so_far
                gap_parts[k] = known
            at.append(cumulative[k] + gap_parts[k][b])
            wide.append(True)
        else:
            at.append(cumulative[k] + steps[k].until(b))
            wide.append(False)
    energy, quality = [], []
    doubtful = [s for s in steps if s.estimated]
    for k, (a, b) in enumerate(itertools.pairwise(at)):
        energy.append(b - a if a is not None and b is not None else 0)
        touched = any(s.start < edge < s.end for s in doubtful for edge in boundaries[k:k + 2])
        quality.append("missing" if a is None or b is None else
                       "estimated" if wide[k] or wide[k + 1] or touched else "measured")

    def between(a: int, b: int) -> int | None:
        inside = steps[max(bisect_right(starts, a) - 1, 0):bisect_right(starts, b)]
        inside = [s for s in inside if s.start < b and s.end > a]
        if not inside or inside[0].start > a or inside[-1].end < b or any(
                s.end - s.start > max_gap_ms or s.estimated for s in inside):
            return None
        return curve(b) - curve(a)

    def curve(t: int) -> int:
        k = max(bisect_right(starts, t) - 1, 0)
        return cumulative[k] + steps[k].until(min(t, steps[k].end))

    return Energy(energy, quality, between, meter.findings)
