"""The reader of readings from the embedded store: range scans, straight into arrays."""

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from seatwatt.contract.devices import Device
from seatwatt.contract.errors import StoreUnavailable
from seatwatt.contract.quantities import FIELDS, Quantity
from seatwatt.contract.readings import SeriesBook
from seatwatt.store.columns import ColumnBuilder, Nearest, with_neighbours
from seatwatt.store.ports import Column, DerivedPoint, LastReading, Sums
from seatwatt.store.sqlite_file import TIME_MAX_MS, connect, sorted_errors, transaction

_IDLE_MAX = 4
_PAIR = np.dtype([("time", np.int64), ("value", np.float64)])
_RANGE = "WHERE series_id = ? AND taken_at_ms >= ? AND taken_at_ms < ? ORDER BY taken_at_ms"
_LAST = """
SELECT kind, zone, device, field, taken_at_ms, value FROM series JOIN {table} AS kept
ON series_id = id AND taken_at_ms = (SELECT max(taken_at_ms) FROM {table} WHERE series_id = id)
WHERE site = ?"""


class SqliteReader:
    """The Reader port on a file; may be used from several threads. Each call sees one state of
    the file, whatever is written meanwhile."""

    def __init__(self, path: Path, *, timeout_s: float = 10.0) -> None:
        """Makes an empty store where there is none yet: a reader may be the first to start."""
        self._path, self._timeout_s = path, timeout_s
        self._book = SeriesBook()
        self._lock = threading.Lock()
        self._closed = False
        self._idle = [connect(path, timeout_s)]

    def sites(self) -> list[str]:
        """As the port says."""
        with self._snapshot() as connection:
            return [row[0] for row in
                    connection.execute("SELECT DISTINCT site FROM series ORDER BY site")]

    def devices(self, site: str) -> list[Device]:
        """As the port says."""
        with self._snapshot() as connection:
            rows = connection.execute(
                "SELECT DISTINCT kind, zone, device FROM series WHERE site = ?", (site,))
            return sorted(Device(*row) for row in rows)

    def last(self, site: str, kinds: Sequence[str] = ()) -> list[LastReading]:
        """One seek a series."""
        with self._snapshot() as connection:
            rows = [row for table in ("readings", "texts")
                    for row in connection.execute(_LAST.format(table=table), (site,))]
        return [LastReading(self._book.get(site, Device(kind, zone, device), FIELDS[kind, field]),
                            at_ms, value)
                for kind, zone, device, field, at_ms, value in rows
                if (not kinds or kind in kinds) and (kind, field) in FIELDS]

    def columns(self, site: str, quantity: Quantity, start_ms: int, end_ms: int,
                devices: Sequence[Device] | None = None) -> dict[Device, Column]:
        """One range scan a device."""
        with self._snapshot() as connection:
            return _columns(connection, _ids(connection, site, quantity, devices),
                            start_ms, end_ms)

    def first_ms(self, site: str, quantity: Quantity) -> int | None:
        """One seek a device."""
        with self._snapshot() as connection:
            ids = _ids(connection, site, quantity)
            first = _nearest(connection, ids, ">=", -TIME_MAX_MS, "ASC")
        return min((int(at_ms) for at_ms, _ in first.values()), default=None)

    def sums(self, site: str, quantity: Quantity, devices: Sequence[Device], start_ms: int,
             end_ms: int, step_ms: int) -> dict[Device, Sums]:
        """One range scan a device."""
        with self._snapshot() as connection:
            found = {device: connection.execute(
                "SELECT (taken_at_ms - ?) / ?, count(*), sum(value) FROM readings "
                "WHERE series_id = ? AND taken_at_ms >= ? AND taken_at_ms < ? GROUP BY 1",
                (start_ms, step_ms, series_id, *_clipped(start_ms, end_ms))).fetchall()
                for device, series_id in _ids(connection, site, quantity, devices)}
        return {device: {start_ms + step * step_ms: (count, total) for step, count, total in rows}
                for device, rows in found.items() if rows}

    def texts(self, site: str, quantity: Quantity, start_ms: int, end_ms: int
              ) -> dict[Device, list[tuple[int, str]]]:
        """As the port says."""
        with self._snapshot() as connection:
            found = {device: connection.execute(
                f"SELECT taken_at_ms, value FROM texts {_RANGE}",
                (series_id, *_clipped(start_ms, end_ms))).fetchall()
                for device, series_id in _ids(connection, site, quantity)}
        return {device: pairs for device, pairs in found.items() if pairs}

    def registers(self, site: str, quantity: Quantity, start_ms: int, end_ms: int,
                  margin_ms: int) -> dict[Device, Column]:
        """`columns`, and a seek to either side of it."""
        low_ms, high_ms = start_ms - margin_ms, end_ms + margin_ms
        with self._snapshot() as connection:
            ids = _ids(connection, site, quantity)
            inside = _columns(connection, ids, low_ms, high_ms)
            before = _nearest(connection, ids, "<", low_ms, "DESC")
            after = _nearest(connection, ids, ">=", high_ms, "ASC")
        return with_neighbours(inside, before, after, start_ms, end_ms)

    def derived(self, measurement: str, tags: Sequence[tuple[str, str]], start_ms: int,
                end_ms: int) -> list[DerivedPoint]:
        """As the port says; points of one time are in the order of their tags."""
        with self._snapshot() as connection:
            rows = connection.execute(
                "SELECT time_ms, tags, fields FROM derived "
                "WHERE measurement = ? AND time_ms >= ? AND time_ms < ?",
                (measurement, *_clipped(start_ms, end_ms))).fetchall()
        points = [DerivedPoint(measurement, tuple((key, value) for key, value in json.loads(own)),
                               tuple(sorted(json.loads(fields).items())), time_ms)
                  for time_ms, own, fields in rows]
        wanted = set(tags)
        return sorted((point for point in points if wanted <= set(point.tags)),
                      key=lambda point: (point.time_ms, point.tags))

    def ping(self) -> None:
        """Read the head of the file."""
        with self._snapshot() as connection:
            connection.execute("SELECT id FROM series LIMIT 1").fetchall()

    def close(self) -> None:
        """Close the idle connections; one in use closes when its call ends."""
        with self._lock:
            self._closed = True
            while self._idle:
                self._idle.pop().close()

    @contextmanager
    def _snapshot(self) -> Iterator[sqlite3.Connection]:
        """A connection of this call's own, in a read transaction."""
        with sorted_errors(self._path):
            connection = self._take()
            try:
                with transaction(connection):
                    yield connection
            finally:
                self._give_back(connection)

    def _take(self) -> sqlite3.Connection:
        with self._lock:
            if self._closed:
                raise StoreUnavailable(f"{self._path}: the reader is closed")
            if self._idle:
                return self._idle.pop()
        return connect(self._path, self._timeout_s)

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            if self._closed or len(self._idle) >= _IDLE_MAX:
                connection.close()
            else:
                self._idle.append(connection)


Ids = list[tuple[Device, int]]


def _ids(connection: sqlite3.Connection, site: str, quantity: Quantity,
         devices: Sequence[Device] | None = None) -> Ids:
    rows = connection.execute(
        "SELECT zone, device, id FROM series WHERE site = ? AND kind = ? AND field = ? "
        "ORDER BY zone, device", (site, quantity.kind, quantity.field))
    found = [(Device(quantity.kind, zone, name), series_id) for zone, name, series_id in rows]
    wanted = None if devices is None else set(devices)
    return [(device, series_id) for device, series_id in found
            if wanted is None or device in wanted]


def _columns(connection: sqlite3.Connection, ids: Ids, start_ms: int, end_ms: int
             ) -> dict[Device, Column]:
    builder = ColumnBuilder()
    for device, series_id in ids:
        pairs = np.fromiter(connection.execute(f"SELECT taken_at_ms, value FROM readings {_RANGE}",
                                               (series_id, *_clipped(start_ms, end_ms))), _PAIR)
        builder.add(device, Column(pairs["time"].copy(), pairs["value"].copy()))
    return builder.columns()


def _nearest(connection: sqlite3.Connection, ids: Ids, side: str, at_ms: int, order: str
             ) -> Nearest:
    statement = (f"SELECT taken_at_ms, value FROM readings WHERE series_id = ? "
                 f"AND taken_at_ms {side} ? ORDER BY taken_at_ms {order} LIMIT 1")
    found = {device: connection.execute(statement, (series_id, *_clipped(at_ms))).fetchone()
             for device, series_id in ids}
    return {device: pair for device, pair in found.items() if pair is not None}


def _clipped(*times_ms: int) -> tuple[int, ...]:
    return tuple(max(-TIME_MAX_MS, min(TIME_MAX_MS, at_ms)) for at_ms in times_ms)
