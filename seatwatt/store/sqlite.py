"""The writer of readings to the embedded store: one SQLite file, readable while it is written."""

import json
import threading
from collections.abc import Sequence
from operator import itemgetter
from pathlib import Path

from seatwatt.contract.errors import StoreRefused
from seatwatt.contract.quantities import Nature, Quantity
from seatwatt.contract.readings import ReadingBatch, Series
from seatwatt.store.marks import marks_of
from seatwatt.store.ports import DerivedPoint
from seatwatt.store.sqlite_file import TIME_MAX_MS, connect, sorted_errors, transaction
from seatwatt.store.tags import check_about_people, stored_tags

_PUT_NUMBER = ("INSERT INTO readings VALUES (?, ?, ?) "
               "ON CONFLICT DO UPDATE SET value = excluded.value")
_PUT_TEXT = "INSERT INTO texts VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value"
# As in InfluxDB, the fields of a point written again are merged.
_PUT_DERIVED = ("INSERT INTO derived VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE "
                "SET fields = json_patch(fields, excluded.fields)")

Row = tuple[int, int, float | str]
_series_id = itemgetter(0)


class SqliteWriter:
    """The Writer port on a file. Each write is one transaction, on disk when it returns.

    A lock makes it safe from several threads; writers of other processes are waited for, up to
    `timeout_s`, then StoreUnavailable.
    """

    def __init__(self, path: Path, *, timeout_s: float = 10.0, series_max: int = 200_000) -> None:
        """Makes file and folder where missing; StoreMisconfigured where that cannot be."""
        self._path = path
        self._connection = connect(path, timeout_s)
        self._series_max = series_max
        self._ids: dict[Series, int] = {}  # of numbers
        self._text_ids: dict[Series, int] = {}
        self._lock = threading.Lock()

    def write(self, batch: ReadingBatch) -> None:
        """StoreRefused where a number is not finite or a text is not valid Unicode."""
        with self._lock, sorted_errors(self._path):
            try:
                with transaction(self._connection, "IMMEDIATE"):
                    numbers, texts = self._rows(batch)
                    numbers.sort(key=_series_id)  # Neighbours in the file one after the other.
                    self._connection.executemany(_PUT_NUMBER, numbers)
                    self._connection.executemany(_PUT_TEXT, texts)
                    self._connection.executemany(_PUT_DERIVED, map(_derived_row, marks_of(batch)))
            except BaseException:
                # Some may be ids of the transaction that did not happen.
                self._ids.clear()
                self._text_ids.clear()
                raise

    def write_derived(self, points: Sequence[DerivedPoint]) -> None:
        """One transaction."""
        rows = [_derived_row(point) for point in points if point.fields]
        with self._lock, sorted_errors(self._path), transaction(self._connection, "IMMEDIATE"):
            self._connection.executemany(_PUT_DERIVED, rows)

    def forget(self, site: str, quantity: Quantity, before_ms: int) -> None:
        """A transaction a seat, so that ingest is never kept waiting for long."""
        check_about_people(quantity)
        with self._lock, sorted_errors(self._path):
            series = self._connection.execute(
                "SELECT id FROM series WHERE site = ? AND kind = ? AND field = ?",
                (site, quantity.kind, quantity.field)).fetchall()
        for found in series:
            with self._lock, sorted_errors(self._path), transaction(self._connection, "IMMEDIATE"):
                self._connection.execute(
                    "DELETE FROM readings WHERE series_id = ? AND taken_at_ms < ?",
                    (*found, min(before_ms, TIME_MAX_MS)))

    def ping(self) -> None:
        """An empty transaction of a writer."""
        with self._lock, sorted_errors(self._path), transaction(self._connection, "IMMEDIATE"):
            self._connection.execute("SELECT count(*) FROM series LIMIT 1")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _rows(self, batch: ReadingBatch) -> tuple[list[Row], list[Row]]:
        ids, columns = self._ids, (batch.series, batch.taken_at_ms, batch.values)
        try:
            return [(ids[series], at_ms, value)
                    for series, at_ms, value in zip(*columns, strict=True)], []
        except KeyError:
            return self._sorted_rows(batch)

    def _sorted_rows(self, batch: ReadingBatch) -> tuple[list[Row], list[Row]]:
        """As `_rows`, of a batch with new series or texts."""
        numbers: list[Row] = []
        texts: list[Row] = []
        for series, at_ms, value in zip(batch.series, batch.taken_at_ms, batch.values,
                                        strict=True):
            if series.quantity.nature is Nature.TEXT:
                texts.append((self._text_ids.get(series) or self._learn(series), at_ms, value))
            else:
                numbers.append((self._ids.get(series) or self._learn(series), at_ms, value))
        return numbers, texts

    def _learn(self, series: Series) -> int:
        ids = self._text_ids if series.quantity.nature is Nature.TEXT else self._ids
        if len(ids) >= self._series_max:
            ids.clear()
        key = (series.site, series.device.kind, series.quantity.field, series.device.zone,
               series.device.name)
        self._connection.execute(
            "INSERT OR IGNORE INTO series (site, kind, field, zone, device) VALUES (?, ?, ?, ?, ?)",
            key)
        found: int = self._connection.execute(
            "SELECT id FROM series WHERE site = ? AND kind = ? AND field = ? AND zone = ? "
            "AND device = ?", key).fetchone()[0]
        ids[series] = found
        return found


def _derived_row(point: DerivedPoint) -> tuple[str, int, str, str]:
    fields = {key: value if isinstance(value, str) else float(value)
              for key, value in point.fields}
    try:
        return (point.measurement, point.time_ms, json.dumps(stored_tags(point)),
                json.dumps(fields, allow_nan=False))
    except ValueError as error:
        raise StoreRefused(f"{point.measurement}: {error}") from None
