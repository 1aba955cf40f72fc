"""The reader of readings from InfluxDB: InfluxQL, day by day, decoded in bulk."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

from seatwatt.contract.devices import KINDS, Device
from seatwatt.contract.errors import InputError
from seatwatt.contract.quantities import QUANTITIES, Quantity
from seatwatt.contract.readings import SeriesBook
from seatwatt.store.columns import ColumnBuilder, with_neighbours
from seatwatt.store.influx_answers import Block
from seatwatt.store.influx_http import InfluxAddress, InfluxConnection
from seatwatt.store.influxql import (
    DAY_MS,
    HOUR_MS,
    TIME_MAX_MS,
    literal,
    name,
    of,
    select,
    summed,
    tagged,
    within,
)
from seatwatt.store.ports import Column, DerivedPoint, LastReading, Sums

_STATEMENTS_MAX = 500
"""Devices asked for in one query, each by a statement of its own: the server merges the series of a
statement row by row, which costs it as much again as reading them."""
_ROWS_AIM = 500_000
"""How many rows one query should give: about a day of a large site."""
_WINDOW_MAX_MS = 8 * DAY_MS
_WALK_MS = 60 * DAY_MS
"""A longer range is first cut to where there are readings."""


class InfluxReader:
    """The Reader port on InfluxDB; may be used from several threads."""

    def __init__(self, address: InfluxAddress) -> None:
        self._connection = InfluxConnection(address)
        self._book = SeriesBook()

    def sites(self) -> list[str]:
        """From the tag's values, which the server keeps in its index."""
        kinds = ", ".join(map(name, KINDS))
        blocks = self._connection.query([f'SHOW TAG VALUES FROM {kinds} WITH KEY = "site"'])
        return sorted({row[1] for block in blocks for row in block.table()})

    def devices(self, site: str) -> list[Device]:
        """From the index: the zones of each kind, then the devices of each zone."""
        return self._devices(site, KINDS)

    def _devices(self, site: str, kinds: Sequence[str]) -> list[Device]:
        here = tagged([("site", site)])
        asked = [f'SHOW TAG VALUES FROM {name(kind)} WITH KEY = "zone" WHERE {here}'
                 for kind in kinds]
        zones = [(kinds[block.statement], row[1]) for block in self._connection.query(asked)
                 for row in block.table()]
        if not zones:
            return []
        asked = [f'SHOW TAG VALUES FROM {name(kind)} WITH KEY = "device" '
                 f'WHERE {here} AND "zone" = {literal(zone)}' for kind, zone in zones]
        found = {_device(*zones[block.statement], row[1])
                 for block in self._connection.query(asked) for row in block.table()}
        return sorted(device for device in found if device is not None)

    def last(self, site: str, kinds: Sequence[str] = ()) -> list[LastReading]:
        """One statement a quantity: `last` of several fields at once would lose their times."""
        asked = [q for q in QUANTITIES.values() if not kinds or q.kind in kinds]
        if not asked:
            return []
        blocks = self._connection.query([select("last({})", site, q) for q in asked])
        return [LastReading(self._book.get(site, device, asked[block.statement]), at_ms, value)
                for block in blocks
                if (device := _block_device(asked[block.statement].kind, block)) is not None
                for at_ms, value in block.pairs()]

    def columns(self, site: str, quantity: Quantity, start_ms: int, end_ms: int,
                devices: Sequence[Device] | None = None) -> dict[Device, Column]:
        """Read in parts of about half a million readings: memory is about that of the result."""
        builder = ColumnBuilder()
        for device, block in self._walk(site, quantity, start_ms, end_ms, devices):
            builder.add(device, block.column())
        return builder.columns()

    def first_ms(self, site: str, quantity: Quantity) -> int | None:
        """As the port says."""
        first = self._single("first", site, quantity, within(-TIME_MAX_MS, TIME_MAX_MS))
        return min((at_ms for at_ms, _ in first.values()), default=None)

    def sums(self, site: str, quantity: Quantity, devices: Sequence[Device], start_ms: int,
             end_ms: int, step_ms: int) -> dict[Device, Sums]:
        """One statement a device: the server goes through its readings, twice, and two numbers a
        step come."""
        found: dict[Device, Sums] = {}
        for start in range(0, len(devices), _STATEMENTS_MAX):
            some = devices[start:start + _STATEMENTS_MAX]
            for block in self._connection.query([
                    summed(site, quantity, device, start_ms, end_ms, step_ms) for device in some]):
                found.setdefault(some[block.statement], {}).update(
                    {int(at_ms): (int(count), float(total))
                     for at_ms, count, total in block.table()})
        return found

    def texts(self, site: str, quantity: Quantity, start_ms: int, end_ms: int
              ) -> dict[Device, list[tuple[int, str]]]:
        """As the port says."""
        found: dict[Device, list[tuple[int, str]]] = {}
        for device, block in self._walk(site, quantity, start_ms, end_ms, None):
            found.setdefault(device, []).extend(
                (at_ms, str(value)) for at_ms, value in block.pairs())
        return found

    def registers(self, site: str, quantity: Quantity, start_ms: int, end_ms: int,
                  margin_ms: int) -> dict[Device, Column]:
        """`columns`, then two small queries for the nearest readings beyond the margins."""
        low_ms, high_ms = start_ms - margin_ms, end_ms + margin_ms
        inside = self.columns(site, quantity, low_ms, high_ms)
        before = self._single("last", site, quantity, within(-TIME_MAX_MS, low_ms))
        after = self._single("first", site, quantity, within(high_ms, TIME_MAX_MS))
        return with_neighbours(inside, before, after, start_ms, end_ms)

    def derived(self, measurement: str, tags: Sequence[tuple[str, str]], start_ms: int,
                end_ms: int) -> list[DerivedPoint]:
        """As the port says; points of one time are in the order of their tags."""
        condition = " AND ".join(filter(None, (tagged(tags), within(start_ms, end_ms))))
        blocks = self._connection.query(
            [f"SELECT * FROM {name(measurement)} WHERE {condition} GROUP BY *"])
        points = [point for block in blocks for point in _points(measurement, block)]
        return sorted(points, key=lambda point: (point.time_ms, point.tags))

    def ping(self) -> None:
        """A small query that needs the database and the right to read (not every SHOW does)."""
        self._connection.query(['SHOW TAG KEYS FROM "meter"'])

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def _walk(self, site: str, quantity: Quantity, start_ms: int, end_ms: int,
              devices: Sequence[Device] | None) -> Iterator[tuple[Device, Block]]:
        """The blocks of the range, rising in time for each device; a query after the other, for
        as long a time as gives about the rows we aim at."""
        if start_ms >= end_ms:
            return
        wanted = (self._devices(site, [quantity.kind]) if devices is None else
                  sorted({device for device in devices if device.kind == quantity.kind}))
        if not wanted:
            return
        first_ms, end_ms = self._extent(site, quantity, start_ms, end_ms)
        for start in range(0, len(wanted), _STATEMENTS_MAX):
            some = wanted[start:start + _STATEMENTS_MAX]
            at_ms, length_ms = first_ms, DAY_MS
            while at_ms < end_ms:
                next_ms = min(at_ms + length_ms, end_ms)
                blocks = self._connection.query([
                    select("{}", site, quantity, f"{within(at_ms, next_ms)} AND {of(device)}")
                    for device in some])
                yield from ((some[block.statement], block) for block in blocks)
                rows = sum(len(block.rows) for block in blocks)
                length_ms = _next_length_ms(length_ms, rows)
                at_ms = next_ms

    def _extent(self, site: str, quantity: Quantity, start_ms: int, end_ms: int
                ) -> tuple[int, int]:
        if end_ms - start_ms <= _WALK_MS:
            return start_ms, end_ms
        condition = within(start_ms, end_ms)
        firsts = self._single("first", site, quantity, condition).values()
        lasts = self._single("last", site, quantity, condition).values()
        if not firsts or not lasts:
            return start_ms, start_ms
        return min(at_ms for at_ms, _ in firsts), max(at_ms for at_ms, _ in lasts) + 1

    def _single(self, ask: str, site: str, quantity: Quantity, condition: str
                ) -> dict[Device, tuple[int, float | str]]:
        """The `first` or `last` reading of each device under the condition."""
        blocks = self._connection.query([select(f"{ask}({{}})", site, quantity, condition)])
        return {device: pair for block in blocks
                if (device := _block_device(quantity.kind, block)) is not None
                for pair in block.pairs()}


def _next_length_ms(length_ms: int, rows: int) -> int:
    fitting = length_ms * _ROWS_AIM // max(rows, 1)
    return max(HOUR_MS, min(fitting, 4 * length_ms, _WINDOW_MAX_MS))


@lru_cache(maxsize=100_000)
def _device(kind: str, zone: str, device: str) -> Device | None:
    """The device; None for series of another program in the same database."""
    try:
        return Device(kind, zone, device)
    except InputError:
        return None


def _block_device(kind: str, block: Block) -> Device | None:
    return _device(kind, block.tags.get("zone", ""), block.tags.get("device", ""))


def _points(measurement: str, block: Block) -> Iterator[DerivedPoint]:
    tags = tuple(sorted((key, value) for key, value in block.tags.items() if value))
    for row in block.table():
        fields = tuple(sorted((key, value) for key, value in zip(block.columns, row, strict=True)
                              if key != "time" and value is not None))
        yield DerivedPoint(measurement, tags, fields, int(row[0]))
