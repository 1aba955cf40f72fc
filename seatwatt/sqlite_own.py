"""SQLite files that one process has to itself, and whose commits survive the machine's death.

A damaged file is set aside, kept for whoever can mend it, and a new one begun.
"""

import logging
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from seatwatt.contract.errors import SettingsError

LOG = logging.getLogger("seatwatt")
_WAL_BYTES_MAX = 8 << 20
_Found = TypeVar("_Found")


def open_own(path: Path, setting: str, schema: str, read: Callable[[sqlite3.Connection], _Found]
             ) -> tuple[sqlite3.Connection, _Found]:
    """The database at `path` (autocommit: begin transactions yourself) and what `read` finds in
    it. `schema` makes what is missing.

    SettingsError, naming `setting`, when neither this file nor a new one can be used.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return _opened(path, schema, read)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            set_aside(path)
            return _opened(path, schema, read)
    except (OSError, sqlite3.Error) as error:
        detail = "another process uses it" if "locked" in str(error) else str(error)
        raise SettingsError(f"{setting}: cannot use {path}: {detail}") from None


def set_aside(path: Path) -> Path:
    """Rename a damaged file and its log, which would be damage again beside a new file."""
    number = 1
    while (kept := Path(f"{path}.damaged-{number}")).exists():
        number += 1
    LOG.error("%s is damaged: kept as %s, going on with a new one", path, kept.name)
    for suffix in ("-wal", "-shm", ""):
        if Path(f"{path}{suffix}").exists():
            os.replace(f"{path}{suffix}", f"{kept}{suffix}")
    return kept


def _opened(path: Path, schema: str, read: Callable[[sqlite3.Connection], _Found]
            ) -> tuple[sqlite3.Connection, _Found]:
    database = sqlite3.connect(path, check_same_thread=False, timeout=1.0, isolation_level=None)
    try:
        # Two processes would each count, number and send what is the other's too.
        database.execute("PRAGMA locking_mode=EXCLUSIVE")
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute(f"PRAGMA journal_size_limit={_WAL_BYTES_MAX}")
        database.executescript(schema)
        if database.execute("PRAGMA quick_check").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("quick_check found damage")
        return database, read(database)
    except BaseException:
        database.close()
        raise
