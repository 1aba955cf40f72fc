"""The writer of readings to InfluxDB: our own lines, one request a call, one attempt a request."""

import threading
from collections.abc import Sequence

from seatwatt.contract.errors import StoreMisconfigured, StoreRefused
from seatwatt.contract.quantities import Quantity
from seatwatt.contract.readings import ReadingBatch
from seatwatt.store.influx_http import DatabaseMissing, InfluxAddress, InfluxConnection
from seatwatt.store.influxql import delete, duration, name
from seatwatt.store.lines import LineSerialiser, derived_lines
from seatwatt.store.marks import marks_of
from seatwatt.store.ports import DerivedPoint
from seatwatt.store.tags import check_about_people

POLICY = "readings"
"""The retention policy we create."""

_DERIVED_PER_REQUEST = 5000


class InfluxWriter:
    """The Writer port on InfluxDB, safe from several threads: while one batch is on its way to the
    server the next is serialised."""

    def __init__(self, address: InfluxAddress, *, create: bool = False,
                 retention: str = "") -> None:
        """With `create`, a missing database is made when first met: see `ensure_database`."""
        self._connection = InfluxConnection(address)
        self._create, self._duration = create, duration(retention)
        self._serialiser = LineSerialiser()
        self._serialising, self._posting = threading.Lock(), threading.Lock()

    def write(self, batch: ReadingBatch) -> None:
        """One request. 204 means that it is in the server's log on disk."""
        with self._serialising:
            lines = self._serialiser.serialise(batch)
        marks = derived_lines(marks_of(batch))
        with self._posting:
            self._post_marked(lines, marks)

    def write_derived(self, points: Sequence[DerivedPoint]) -> None:
        """Requests of up to 5,000 points."""
        for start in range(0, len(points), _DERIVED_PER_REQUEST):
            lines = derived_lines(points[start:start + _DERIVED_PER_REQUEST])
            with self._posting:
                self._post(lines)

    def forget(self, site: str, quantity: Quantity, before_ms: int) -> None:
        """One statement. It is done shard by shard: after a failure, ask again."""
        check_about_people(quantity)
        self._connection.query([delete(site, quantity, before_ms)])

    def ping(self) -> None:
        """A write of nothing: only it asks for the database and for the right to write."""
        try:
            with self._posting:
                self._post(b"")
        except StoreRefused:
            # 2.x and 3 judge an empty body; by then they know us and the database.
            return

    def ensure_database(self) -> None:
        """Create the database, and a default retention policy where it has none.

        `retention` is how long readings are kept (`400d`, empty: for ever). A policy that is there
        stays as it is, whatever its length: shortening one deletes readings.
        """
        database = self._connection.address.database
        there = {row[0] for block in self._connection.query(["SHOW DATABASES"])
                 for row in block.table()}
        if database not in there:
            self._connection.query([f"CREATE DATABASE {name(database)} WITH DURATION "
                                    f"{self._duration} NAME {name(POLICY)}"])
        elif not self._has_default_policy(database):
            self._connection.query([f"CREATE RETENTION POLICY {name(POLICY)} ON {name(database)} "
                                    f"DURATION {self._duration} REPLICATION 1 DEFAULT"])

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _post_marked(self, lines: bytes, marks: bytes) -> None:
        try:
            self._post(lines + b"\n" + marks if marks else lines)
        except StoreRefused:
            # Whatever the server has against the marks, its word on readings is about readings.
            if not marks:
                raise
            self._post(lines)

    def _post(self, lines: bytes) -> None:
        try:
            self._connection.write(lines)
        except DatabaseMissing as missing:
            if not self._create:
                raise
            try:
                self.ensure_database()
            except StoreMisconfigured as error:
                raise StoreMisconfigured(f"{missing}; cannot create it: {error}") from None
            except StoreRefused as error:
                raise StoreMisconfigured(f"{missing}; cannot create it: {error}") from None
            self._connection.write(lines)

    def _has_default_policy(self, database: str) -> bool:
        for block in self._connection.query([f"SHOW RETENTION POLICIES ON {name(database)}"]):
            default = list(block.columns).index("default")
            if any(row[default] for row in block.table()):
                return True
        return False
