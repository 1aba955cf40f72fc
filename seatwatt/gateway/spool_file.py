"""The spool's file: its tables, and its epoch, which changes whenever a new file is begun."""

import secrets
import sqlite3
from pathlib import Path

from seatwatt.sqlite_own import open_own

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


def open_file(path: Path) -> tuple[sqlite3.Connection, str]:
    """The database at `path` and its epoch; SettingsError when no file can be used."""
    return open_own(path, "SEATWATT_GATEWAY_SPOOL", _SCHEMA, _epoch)


def _epoch(database: sqlite3.Connection) -> str:
    row = database.execute("SELECT epoch FROM spool").fetchone()
    if row is None:
        # Not the time, which a machine without a battery does not know when it begins.
        row = (secrets.token_hex(4),)
        database.execute("INSERT INTO spool (epoch) VALUES (?)", row)
    epoch: str = row[0]
    return epoch
