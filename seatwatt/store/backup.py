"""The embedded store saved while it is written, and brought back."""

import sqlite3
from contextlib import closing
from pathlib import Path

from seatwatt.contract.errors import InputError
from seatwatt.sqlite_copy import put_in_place, snapshot
from seatwatt.store.sqlite_file import SCHEMA_VERSION


def save_store(file: Path, target: Path) -> None:
    """`target` becomes a copy of the store as it is at one moment."""
    snapshot(file, target)
    check_store(target)


def check_store(copy: Path) -> None:
    """InputError unless `copy` is a store this version of Seatwatt can read."""
    try:
        with closing(sqlite3.connect(f"file:{copy}?mode=ro", uri=True)) as reading:
            version = reading.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.Error as error:
        raise InputError(str(copy), f"it cannot be read: {error}") from None
    if version != SCHEMA_VERSION:
        raise InputError(str(copy), f"it is a store of version {version}",
                         f"version {SCHEMA_VERSION}")


def restore_store(copy: Path, file: Path) -> None:
    """The store becomes the copy; nobody may have it open."""
    check_store(copy)
    put_in_place(copy, file)
