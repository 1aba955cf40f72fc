"""The embedded store's file: opening, schema, and SQLite's errors sorted into StoreErrors."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from seatwatt.contract.errors import StoreMisconfigured, StoreRefused, StoreUnavailable

SCHEMA_VERSION = 1
TIME_MAX_MS = 2**63 - 1

# Numbers are checked here, for SQLite itself would keep a text or an infinity in a REAL column.
_SCHEMA = """
CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    site TEXT NOT NULL, kind TEXT NOT NULL, zone TEXT NOT NULL, device TEXT NOT NULL,
    field TEXT NOT NULL,
    UNIQUE (site, kind, field, zone, device));
CREATE TABLE readings (
    series_id INTEGER NOT NULL, taken_at_ms INTEGER NOT NULL,
    value REAL NOT NULL CHECK (value BETWEEN -1e308 AND 1e308),
    PRIMARY KEY (series_id, taken_at_ms)) WITHOUT ROWID;
CREATE TABLE texts (
    series_id INTEGER NOT NULL, taken_at_ms INTEGER NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (series_id, taken_at_ms)) WITHOUT ROWID;
CREATE TABLE derived (
    measurement TEXT NOT NULL, time_ms INTEGER NOT NULL, tags TEXT NOT NULL, fields TEXT NOT NULL,
    PRIMARY KEY (measurement, time_ms, tags)) WITHOUT ROWID;
"""

_PASSING = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR,
            sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_INTERRUPT}
_PRIMARY_CODE = 0xff


def connect(path: Path, timeout_s: float) -> sqlite3.Connection:
    """A connection in WAL mode to the file, which is made when missing. Autocommit: begin
    transactions yourself. Raises StoreMisconfigured for a file of another kind."""
    with sorted_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout_s, isolation_level=None,
                                     check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA cache_size = -32768")  # KiB
            connection.execute("PRAGMA wal_autocheckpoint = 4000")  # pages: 16 MB
            _make_schema(connection, path)
        except BaseException:
            connection.close()
            raise
        return connection


def _make_schema(connection: sqlite3.Connection, path: Path) -> None:
    if _version(connection) == SCHEMA_VERSION:
        return
    with transaction(connection, "IMMEDIATE"):
        version = _version(connection)
        if version == 0 and not connection.execute("SELECT count(*) FROM sqlite_master"
                                                   ).fetchone()[0]:
            for statement in _SCHEMA.split(";\n"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        elif version != SCHEMA_VERSION:
            raise StoreMisconfigured(f"{path}: not a store of readings, or of another version "
                                     f"({version}); expected version {SCHEMA_VERSION}")


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


@contextmanager
def transaction(connection: sqlite3.Connection, kind: str = "") -> Iterator[None]:
    """All or nothing."""
    connection.execute(f"BEGIN {kind}")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # A full disk may have ended it already.
            connection.execute("ROLLBACK")
        raise


@contextmanager
def sorted_errors(path: Path) -> Iterator[None]:
    """SQLite's errors as the StoreError that says what to do."""
    try:
        yield
    except (sqlite3.IntegrityError, UnicodeEncodeError, OverflowError) as error:
        raise StoreRefused(f"{path}: {error}") from None
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & _PRIMARY_CODE
        if code in _PASSING:
            raise StoreUnavailable(f"{path}: {error}") from None
        raise StoreMisconfigured(f"{path}: {error}") from None
    except OSError as error:
        raise StoreMisconfigured(f"{path}: {error.strerror}") from None
