"""The writer of readings to InfluxDB: our own lines, one attempt a request."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait

from seatwatt.contract.errors import StoreMisconfigured, StoreRefused
from seatwatt.contract.quantities import Quantity
from seatwatt.contract.readings import ReadingBatch
from seatwatt.store.influx_http import DatabaseMissing, InfluxAddress, InfluxConnection
from seatwatt.store.influxql import delete, duration, name
from seatwatt.store.lines import LineSerialiser, derived_lines, halves
from seatwatt.store.marks import marks_of, renewed
from seatwatt.store.ports import DerivedPoint
from seatwatt.store.tags import check_about_people

POLICY = "readings"
"""The retention policy we create."""

_DERIVED_PER_REQUEST = 5000

_Marked = tuple[bytes, bytes]
"""Lines of readings, and the marks that go with them."""


class InfluxWriter:
    """The Writer port on InfluxDB, safe from several threads: while one batch is on its way to the
    server the next is serialised. Batches go one after the other, so that the later stands."""

    def __init__(self, address: InfluxAddress, *, create: bool = False,
                 retention: str = "") -> None:
        """With `create`, a missing database is made when first met: see `ensure_database`."""
        self._connection, self._second = InfluxConnection(address), InfluxConnection(address)
        self._beside = ThreadPoolExecutor(1, "store-beside")
        self._create, self._duration = create, duration(retention)
        self._serialiser = LineSerialiser()
        self._serialising, self._posting = threading.Lock(), threading.Lock()

    def write(self, batch: ReadingBatch) -> None:
        """One request, or two at once for a large batch, which the server works on with two cores.
        204 means that it is in the server's log on disk."""
        with self._serialising:
            lines = self._serialiser.serialise(batch)
        # Each half with marks of its own: whoever reads between the two must notice the second.
        marks = marks_of(batch)
        parts = [(half, derived_lines(renewed(marks))) for half in halves(lines)]
        with self._posting:
            self._post_at_once(*parts)

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
        """Close the connections."""
        self._beside.shutdown()
        self._connection.close()
        self._second.close()

    def _post_at_once(self, part: _Marked, other: _Marked | None = None) -> None:
        """Both; when one fails the other has ended too, and all is sent again sooner or later."""
        if other is None:
            _post_marked(self._post, part)
            return
        beside = self._beside.submit(_post_marked, self._second.write, other)
        try:
            _post_marked(self._post, part)
        finally:
            wait([beside])
        try:
            beside.result()
        except DatabaseMissing:
            _post_marked(self._post, other)

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


def _post_marked(post: Callable[[bytes], None], part: _Marked) -> None:
    lines, marks = part
    try:
        post(lines + b"\n" + marks if marks else lines)
    except StoreRefused:
        # Whatever the server has against the marks, its word on readings is about readings.
        if not marks:
            raise
        post(lines)
