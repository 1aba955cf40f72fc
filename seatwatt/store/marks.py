"""Marks: which quarters of an hour of a site were written to, and that it happened again.

With every batch of readings a writer leaves the derived point `written` at the start of each
quarter of an hour that the batch touches, in the same request or transaction. Its value is of no
meaning, but never the same again: who remembers it knows whether anything came since.
"""

import secrets
from collections.abc import Iterable
from dataclasses import replace

from seatwatt.contract.readings import ReadingBatch
from seatwatt.store.ports import DerivedPoint, Reader

WRITTEN = "written"
SPAN_MS = 900_000
"""Local midnights lie on quarters of an hour in every time zone in use."""


def marks_of(batch: ReadingBatch) -> list[DerivedPoint]:
    """The marks to be written with the batch."""
    if not batch.values:
        return []
    touched: set[tuple[str, int]] = set()
    at = 0
    for run in batch.runs:
        if at < run.start:
            touched |= _touched(batch.part(at, run.start))
        touched.add((run.layout.site, run.taken_at_ms // SPAN_MS))
        at = run.start + len(run.layout.series)
    if at < len(batch):
        touched |= _touched(batch.part(at, len(batch)) if at else batch)
    return renewed([DerivedPoint(WRITTEN, (("site", site),), (), span * SPAN_MS)
                    for site, span in sorted(touched) if span >= 0])


def renewed(marks: Iterable[DerivedPoint]) -> list[DerivedPoint]:
    """The same marks with another value."""
    value = float(secrets.randbits(53))
    return [replace(mark, fields=(("mark", value),)) for mark in marks]


def _touched(batch: ReadingBatch) -> set[tuple[str, int]]:
    """Sites and quarters, reading by reading."""
    sites = {series.site for series in set(batch.series)}
    first, last = min(batch.taken_at_ms) // SPAN_MS, max(batch.taken_at_ms) // SPAN_MS
    if first == last:
        return {(site, first) for site in sites}
    if len(sites) == 1:
        spans = {at_ms // SPAN_MS for at_ms in batch.taken_at_ms}
        return {(site, span) for site in sites for span in spans}
    return {(series.site, at_ms // SPAN_MS) for series, at_ms
            in zip(batch.series, batch.taken_at_ms, strict=True)}


def read_marks(reader: Reader, site: str, start_ms: int, end_ms: int) -> dict[int, float]:
    """Start of each marked quarter of an hour in [start_ms, end_ms) -> its mark."""
    return {point.time_ms: float(value)
            for point in reader.derived(WRITTEN, (("site", site),), start_ms, end_ms)
            for name, value in point.fields if name == "mark"}
