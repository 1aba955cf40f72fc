"""The spool's file: opened so that what is committed survives the machine's death.

A damaged file is set aside, kept for whoever can mend it, and a new one begun.
"""

import logging
import os
import secrets
import sqlite3
from pathlib import Path

from seatwatt.contract.errors import SettingsError

LOG = logging.getLogger("seatwatt.gateway")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS pack (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, rank INTEGER NOT NULL, readings INTEGER NOT NULL,
    taken_at_ms INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS pack_by_rank ON pack (rank);
CREATE TABLE IF NOT EXISTS held (
    id INTEGER PRIMARY KEY, boot TEXT NOT NULL, offset_ms INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS tally (name TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS spool (epoch TEXT NOT NULL);
"""
_WAL_BYTES_MAX = 8 << 20


def open_file(path: Path) -> tuple[sqlite3.Connection, str]:
    """The database at `path` and its epoch, which is another one whenever a new file is begun.

    Raises SettingsError when neither this file nor a new one can be used.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return _connected(path)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            set_aside(path)
            return _connected(path)
    except (OSError, sqlite3.Error) as error:
        detail = ("another gateway uses it" if "locked" in str(error) else str(error))
        raise SettingsError(f"SEATWATT_GATEWAY_SPOOL: cannot use {path}: {detail}") from None


def set_aside(path: Path) -> Path:
    """Rename a damaged file and its log, which would be damage again beside a new file."""
    number = 1
    while (kept := Path(f"{path}.damaged-{number}")).exists():
        number += 1
    LOG.error("spool %s is damaged: kept as %s, going on with a new one", path, kept.name)
    for suffix in ("-wal", "-shm", ""):
        if Path(f"{path}{suffix}").exists():
            os.replace(f"{path}{suffix}", f"{kept}{suffix}")
    return kept


def _connected(path: Path) -> tuple[sqlite3.Connection, str]:
    database = sqlite3.connect(path, check_same_thread=False, timeout=1.0, isolation_level=None)
    try:
        # One process a spool: two would number their packs alike.
        database.execute("PRAGMA locking_mode=EXCLUSIVE")
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute(f"PRAGMA journal_size_limit={_WAL_BYTES_MAX}")
        database.executescript(_SCHEMA)
        if database.execute("PRAGMA quick_check").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("quick_check found damage")
        return database, _epoch(database)
    except BaseException:
        database.close()
        raise


def _epoch(database: sqlite3.Connection) -> str:
    row = database.execute("SELECT epoch FROM spool").fetchone()
    if row is None:
        # Not the time, which a machine without a battery does not know when it begins.
        row = (secrets.token_hex(4),)
        database.execute("INSERT INTO spool (epoch) VALUES (?)", row)
    epoch: str = row[0]
    return epoch
