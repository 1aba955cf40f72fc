"""Copies of SQLite files that are in use, and putting a copy in the place of one that is not.

The copy is made by SQLite's online backup in one step: it shows one moment, and neither waits for
writers nor makes them wait (https://www.sqlite.org/backup.html).
"""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from seatwatt.contract.errors import InputError, StoreUnavailable


def snapshot(source: Path, target: Path) -> None:
    """`target` becomes a checked copy of `source`, a single file without a log beside it.

    InputError when there is nothing to copy or what there is cannot be read whole.
    """
    if not source.is_file():
        raise InputError(str(source), "there is no such file", "one that Seatwatt has written")
    try:
        with closing(sqlite3.connect(source, isolation_level=None)) as reading, \
                closing(sqlite3.connect(target, isolation_level=None)) as writing:
            reading.backup(writing)
            # The copy says of itself that it has a write-ahead log; alone it must not.
            writing.execute("PRAGMA journal_mode = DELETE")
            found = writing.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        raise InputError(str(source), f"it cannot be copied: {error}") from None
    if found != "ok":
        raise InputError(str(source), f"it is damaged: {found.splitlines()[0]}")


def rows_by_table(file: Path) -> dict[str, int]:
    """How many rows each table has. InputError when it is no database."""
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as reading:
            names = [name for (name,) in reading.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' "
                "AND name NOT LIKE 'sqlite_%' ORDER BY name")]
            return {name: reading.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
                    for name in names}
    except sqlite3.Error as error:
        raise InputError(str(file), f"it cannot be read: {error}") from None


def check_replaceable(path: Path, *, force: bool) -> None:
    """InputError when something is there and not `force`; StoreUnavailable when it is in use.

    A process with the file open would go on writing to the one that is gone.
    """
    if not path.exists():
        return
    if not force:
        raise InputError(str(path), "it is there already",
                         "no such file, or --force to replace it")
    try:
        with closing(sqlite3.connect(path, timeout=0.5, isolation_level=None)) as alone:
            # Everybody who has it open in WAL mode holds a lock that this one needs alone.
            alone.execute("PRAGMA locking_mode = EXCLUSIVE")
            alone.execute("BEGIN EXCLUSIVE")
            alone.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        raise StoreUnavailable(f"{path}: {error}: it is in use; stop what uses it first") from None
    except sqlite3.DatabaseError:
        return  # it is no database any more: a good reason to replace it


def put_in_place(copy: Path, path: Path) -> None:
    """`path` becomes `copy`, whole or not at all."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.restoring")
        shutil.copyfile(copy, beside)
        with beside.open("rb+") as file:
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, beside)
        for log in (f"{path}-wal", f"{path}-shm"):
            Path(log).unlink(missing_ok=True)
        os.replace(beside, path)
    except OSError as error:
        raise InputError(str(path), f"it cannot be written: {error.strerror}") from None
