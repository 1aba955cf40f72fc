"""Findings of one register within a period, in words."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from seatwatt.contract.devices import Device
from seatwatt.contract.findings import Finding
from seatwatt.contract.intervals import IntervalGrid
from seatwatt.contract.rules import Rule
from seatwatt.metering.curve import Curve
from seatwatt.metering.energy import Quality
from seatwatt.metering.gaps import Gaps
from seatwatt.metering.judge import Event
from seatwatt.metering.shape import Shape
from seatwatt.metering.texts import instant_text, span_text, wh_text

CONTEXT_MS = 7_200_000
"""What happened so shortly before or after the period is told too, for it may explain the opening
and closing registers; it blocks nothing."""


def findings_of(device: Device, curve: Curve, grid: IntervalGrid, gaps: Gaps,
                shape: Shape | None, quality: NDArray[np.uint8], label: str
                ) -> tuple[Finding, ...]:
    """All findings that touch the period, by time and rule."""
    found = [*_ends(device, curve, grid, quality), *_events(device, curve, grid),
             *_gaps(device, curve, gaps, shape)]
    found.sort(key=lambda finding: (finding.from_ms, finding.rule.name))
    if label:
        return tuple(Finding(f.rule, f.subject, f.from_ms, f.to_ms, f"{label}: {f.detail}",
                             f.informative) for f in found)
    return tuple(found)


def _ends(device: Device, curve: Curve, grid: IntervalGrid, quality: NDArray[np.uint8]
          ) -> Iterator[Finding]:
    """R01 and R02: the missing intervals at both ends, where there are any."""
    present = np.flatnonzero(quality != Quality.MISSING)
    subject = str(device)
    if not len(present):
        words = "no reading at all" if not len(curve) else (
            f"readings only from {instant_text(int(curve.times_ms[0]))} "
            f"to {instant_text(int(curve.times_ms[-1]))}")
        late = len(curve) > 0 and int(curve.times_ms[0]) <= grid.start_ms
        yield Finding(Rule.R02 if late else Rule.R01, subject, grid.start_ms, grid.end_ms, words)
        return
    first, beyond = int(present[0]), int(present[-1]) + 1
    if first:
        yield Finding(Rule.R01, subject, grid.start_ms, grid.boundaries_ms[first],
                      f"first reading at {_reading_text(curve, 0)}")
    if beyond < len(grid):
        yield Finding(Rule.R02, subject, grid.boundaries_ms[beyond], grid.end_ms,
                      f"last reading at {_reading_text(curve, -1)}")


def _reading_text(curve: Curve, place: int) -> str:
    at_ms = int(curve.times_ms[place])
    known = ", declared with an exchange" if at_ms in curve.declared_ms else ""
    return instant_text(at_ms) + known


def _events(device: Device, curve: Curve, grid: IntervalGrid) -> Iterator[Finding]:
    for event in curve.events:
        if _touches(event, grid.start_ms - CONTEXT_MS, grid.end_ms + CONTEXT_MS):
            beside = not _touches(event, grid.start_ms, grid.end_ms)
            yield Finding(event.rule, str(device), event.from_ms, event.to_ms,
                          _event_text(event), event.settled or beside)


def _touches(event: Event, start_ms: int, end_ms: int) -> bool:
    """A dropped reading concerns the period it was taken in, a step every period it enters."""
    return event.from_ms < end_ms and (event.to_ms > start_ms or event.from_ms == start_ms)


def _event_text(event: Event) -> str:
    before, after = wh_text(event.before_milliwh), wh_text(event.after_milliwh)
    if event.rule in (Rule.R03, Rule.R04):
        return (f"reading of {after} at {instant_text(event.to_ms)} dropped, "
                f"the one before it was {before}")
    rose = event.after_milliwh > event.before_milliwh
    verb = "rolled over" if event.rule is Rule.R05 else "leapt" if rose else "fell"
    text = (f"register {verb} from {before} to {after} "
            f"from {instant_text(event.from_ms)} to {instant_text(event.to_ms)}: "
            f"{wh_text(event.counted_milliwh)} counted")
    if event.rule is not Rule.R07:
        return text
    if not rose:
        return f"{text}; correct what is declared of the exchange"
    return text + ("; accepted by the operator" if event.settled else
                   "; declare the exchange or accept the reading")


def _gaps(device: Device, curve: Curve, gaps: Gaps, shape: Shape | None) -> Iterator[Finding]:
    """R08: one finding for gaps that touch and were spread alike."""
    if not len(gaps.steps):
        return
    apart = (np.diff(gaps.steps) > 1) | (np.diff(gaps.shaped))
    for run in np.split(np.arange(len(gaps.steps)), np.flatnonzero(apart) + 1):
        first, last = int(gaps.steps[run[0]]), int(gaps.steps[run[-1]]) + 1
        from_ms, to_ms = int(curve.times_ms[first]), int(curve.times_ms[last])
        total = int(curve.totals_milliwh[last] - curve.totals_milliwh[first])
        how = f"in the shape of {shape.name}" if shape and gaps.shaped[run[0]] else "evenly"
        many = f"{len(run)} gaps, together " if len(run) > 1 else ""
        yield Finding(Rule.R08, str(device), from_ms, to_ms,
                      f"{many}{span_text(to_ms - from_ms)} without a reading "
                      f"from {instant_text(from_ms)} to {instant_text(to_ms)}: "
                      f"{wh_text(total)} spread {how}")
