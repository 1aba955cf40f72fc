"""Energy of several things over one grid, summed to steps and shown as JSON or CSV.

Only integers are summed here; what each interval holds was decided by metering and billing.
"""

import csv
import io
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from seatwatt.api.periods import Step, step_starts
from seatwatt.contract.intervals import IntervalGrid
from seatwatt.metering.energy import Quality


@dataclass(frozen=True, slots=True, eq=False)
class EnergyTable:
    """`energy_milliwh` (int64) and `quality` (uint8 of Quality), one row an id, one column a span.

    Span j is [boundaries_ms[j], boundaries_ms[j + 1]).
    """

    ids: tuple[str, ...]
    boundaries_ms: tuple[int, ...]
    energy_milliwh: NDArray[np.int64]
    quality: NDArray[np.uint8]

    def only(self, ids: set[str]) -> "EnergyTable":
        """The rows of these ids alone."""
        kept = [row for row, id_ in enumerate(self.ids) if id_ in ids]
        return EnergyTable(tuple(self.ids[row] for row in kept), self.boundaries_ms,
                           self.energy_milliwh[kept], self.quality[kept])

    def by(self, step: Step, grid: IntervalGrid) -> "EnergyTable":
        """Summed to steps; the quality of a step is its worst interval's."""
        starts = step_starts(grid, step)
        boundaries_ms = (*(grid.boundaries_ms[start] for start in starts), grid.end_ms)
        return EnergyTable(
            self.ids, boundaries_ms,
            np.add.reduceat(self.energy_milliwh, starts, axis=1),
            np.maximum.reduceat(self.quality, starts, axis=1))


def shown_wh(milliwh: int) -> float | int:
    """Wh with at most three decimals; the division of an integer below 2^53 rounds once, so the
    shortest text of the result is the exact decimal."""
    whole, rest = divmod(milliwh, 1000)
    return milliwh / 1000 if rest else whole


def shown_time(at_ms: int, grid: IntervalGrid) -> str:
    """RFC 3339 in the site's local time."""
    return _local(at_ms, grid.zone)


def _local(at_ms: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone).isoformat()


def as_json(head: dict[str, object], table: EnergyTable, grid: IntervalGrid) -> Iterator[bytes]:
    """One JSON object, a series at a time, so that a long range is never whole in memory."""
    yield json.dumps(head, ensure_ascii=False)[:-1].encode() + b', "series": ['
    spans = _spans(table, grid)
    for row, id_ in enumerate(table.ids):
        points = ", ".join(
            f'{{"from": "{start}", "to": "{end}", "energy_wh": {shown_wh(energy)}, '
            f'"quality": "{quality}"}}'
            for start, end, energy, quality in _points(table, row, spans))
        total = shown_wh(int(table.energy_milliwh[row].sum()))
        yield (f'{", " if row else ""}{{"id": {json.dumps(id_)}, "energy_wh": {total}, '
               f'"points": [{points}]}}').encode()
    yield b"]}\n"


def as_csv(table: EnergyTable, grid: IntervalGrid) -> Iterator[bytes]:
    """`id,from,to,energy_wh,quality`, one line a point."""
    yield b"id,from,to,energy_wh,quality\r\n"
    spans = _spans(table, grid)
    for row, id_ in enumerate(table.ids):
        text = io.StringIO()
        csv.writer(text).writerows(
            (id_, start, end, shown_wh(energy), quality)
            for start, end, energy, quality in _points(table, row, spans))
        yield text.getvalue().encode()


def as_ndjson(table: EnergyTable, grid: IntervalGrid) -> Iterator[bytes]:
    """One JSON object a line, one line a point."""
    spans = _spans(table, grid)
    for row, id_ in enumerate(table.ids):
        yield "".join(
            f'{{"id": {json.dumps(id_)}, "from": "{start}", "to": "{end}", '
            f'"energy_wh": {shown_wh(energy)}, "quality": "{quality}"}}\n'
            for start, end, energy, quality in _points(table, row, spans)).encode()


def _spans(table: EnergyTable, grid: IntervalGrid) -> list[tuple[str, str]]:
    return _span_texts(table.boundaries_ms, grid.zone)


@lru_cache(maxsize=32)
def _span_texts(boundaries_ms: tuple[int, ...], zone: ZoneInfo) -> list[tuple[str, str]]:
    """Remembered: a month of half-hours asked for again and again is mostly these texts."""
    return list(itertools.pairwise(_local(at_ms, zone) for at_ms in boundaries_ms))


def _points(table: EnergyTable, row: int,
            spans: list[tuple[str, str]]) -> Iterator[tuple[str, str, int, str]]:
    energies, qualities = table.energy_milliwh[row].tolist(), table.quality[row].tolist()
    for (start, end), energy, quality in zip(spans, energies, qualities, strict=True):
        yield start, end, energy, _QUALITY_NAMES[quality]


_QUALITY_NAMES = [quality.name.lower() for quality in Quality]
