"""All of one store written into another: from the embedded file to a server."""

from collections.abc import Callable, Iterator

from seatwatt.contract.derived import DERIVED
from seatwatt.contract.quantities import QUANTITIES, Nature
from seatwatt.contract.readings import ReadingBatch, Series
from seatwatt.store.ports import Reader, Writer

STRETCH_MS = 86_400_000
READINGS, POINTS = 50_000, 5_000
"""At a time."""
_END_MS = 253_402_300_800_000
"""The year 10000."""


def transfer(source: Reader, target: Writer, done: Callable[[str], None]) -> tuple[int, int]:
    """Write every reading and derived point of `source`; `done` hears of each site. How many
    readings and points there were. Again is harmless: same series and time overwrite."""
    readings = 0
    for site in source.sites():
        for batch in _batches(source, site):
            for start in range(0, len(batch), READINGS):
                target.write(batch.part(start, start + READINGS))
            readings += len(batch)
        done(site)
    points = 0
    for measurement in DERIVED:
        found = source.derived(measurement, (), 0, _END_MS)
        for start in range(0, len(found), POINTS):
            target.write_derived(found[start:start + POINTS])
        points += len(found)
    return readings, points


def _batches(source: Reader, site: str) -> Iterator[ReadingBatch]:
    """The site's readings, a quantity and a day at a time."""
    newest: dict[tuple[str, str], int] = {}
    for last in source.last(site):
        key = (last.series.device.kind, last.series.quantity.name)
        newest[key] = max(newest.get(key, 0), last.taken_at_ms)
    for key, end_ms in newest.items():
        quantity = QUANTITIES[key]
        if quantity.nature is Nature.TEXT:
            batch = ReadingBatch()
            for device, texts in source.texts(site, quantity, 0, end_ms + 1).items():
                for at_ms, text in texts:
                    batch.append(Series(site, device, quantity), at_ms, text)
            yield batch
            continue
        for start_ms in range(source.first_ms(site, quantity) or 0, end_ms + 1, STRETCH_MS):
            batch = ReadingBatch()
            stop_ms = min(start_ms + STRETCH_MS, end_ms + 1)
            for device, column in source.columns(site, quantity, start_ms, stop_ms).items():
                series = Series(site, device, quantity)
                batch.extend(ReadingBatch([series] * len(column.times_ms),
                                          column.times_ms.tolist(), column.values.tolist()))
            yield batch
