"""The journal: messages on our own disk while the store cannot take them.

SQLite in WAL mode with `synchronous=FULL`: a row that was committed survives the machine's death.
A row holds the messages of a parcel as they came, compressed; they are decoded again when they
are drained, oldest first.
"""

import logging
import shutil
import sqlite3
import threading
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from seatwatt.sqlite_own import open_own

LOG = logging.getLogger("seatwatt.ingest")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS journal (
    id INTEGER PRIMARY KEY AUTOINCREMENT, messages INTEGER NOT NULL, size INTEGER NOT NULL,
    refused INTEGER NOT NULL, body BLOB NOT NULL);
"""
_FROM_BODY = msgspec.msgpack.Decoder(list[tuple[bytes, bytes, int]])
_TO_BODY = msgspec.msgpack.Encoder()


class JournalFull(Exception):
    """The journal takes no more: at its bound, the disk full, or not writable."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Messages (topic, payload, received_at_ms) that went to disk together.

    `counted` of them count as journalled; `refused`: their refusals are not in quarantine yet.
    """

    id: int
    counted: int
    refused: bool
    messages: list[tuple[bytes, bytes, int]]


class Journal:
    """A bounded queue on disk. Safe to use from several threads, by one process."""

    def __init__(self, path: Path, max_bytes: int, reserve_bytes: int = 0) -> None:
        """SettingsError when no file can be used; a damaged one is set aside."""
        self._path, self._max_bytes, self._reserve = path, max_bytes, reserve_bytes
        self._lock = threading.Lock()
        self._damaged: set[int] = set()
        self._database, (self._messages, self._bytes, self._entries) = open_own(
            path, "SEATWATT_INGEST_STATE", _SCHEMA, _sums)

    @property
    def messages(self) -> int:
        """Messages counted as journalled."""
        return self._messages

    @property
    def size_bytes(self) -> int:
        """Bytes that the entries take."""
        return self._bytes

    @property
    def entries(self) -> int:
        """Entries to drain."""
        return self._entries - len(self._damaged)

    @property
    def fill_pct(self) -> float:
        """How full it is, in percent of its bound."""
        return 100.0 * self._bytes / self._max_bytes

    def put(self, messages: Sequence[tuple[bytes, bytes, int]], counted: int,
            refused: bool) -> None:
        """Have these messages on disk when it returns; JournalFull when that cannot be."""
        body = zlib.compress(_TO_BODY.encode(messages), 1)
        with self._lock:
            if self._bytes + len(body) > self._max_bytes:
                raise JournalFull(f"journal {self._path}: at its bound of {self._max_bytes} bytes")
            if self._reserve and shutil.disk_usage(self._path.parent).free < self._reserve:
                raise JournalFull(f"journal {self._path}: less than {self._reserve} bytes of "
                                  "disk left")
            self._change("INSERT INTO journal (messages, size, refused, body) VALUES (?, ?, ?, ?)",
                         (counted, len(body), int(refused), body))
            self._messages += counted
            self._bytes += len(body)
            self._entries += 1

    def oldest(self, after: int = 0) -> Entry | None:
        """The oldest entry with an id above `after`; JournalFull when the disk says no.

        One that cannot be read stays, counted as journalled, for whoever can mend it.
        """
        while (row := self._row(after)) is not None:
            after = row[0]
            try:
                return Entry(after, row[1], bool(row[2]),
                             _FROM_BODY.decode(zlib.decompress(row[3])))
            except (zlib.error, msgspec.MsgspecError) as error:
                if after not in self._damaged:
                    LOG.error("journal %s: entry %d is damaged, its %d messages stay there: %s",
                              self._path, after, row[1], error)
                    self._damaged.add(after)
        return None

    def _row(self, after: int) -> tuple[int, int, int, bytes] | None:
        with self._lock:
            try:
                found: tuple[int, int, int, bytes] | None = self._database.execute(
                    "SELECT id, messages, refused, body FROM journal WHERE id > ? "
                    "ORDER BY id LIMIT 1", (after,)).fetchone()
            except sqlite3.OperationalError as error:
                raise JournalFull(f"journal {self._path}: {error}") from error
            return found

    def remove(self, entries: Sequence[Entry]) -> None:
        """Forget entries whose messages rest elsewhere; JournalFull when the disk says no."""
        if not entries:
            return
        with self._lock:
            kept = ", ".join(map(str, self._damaged))
            these = f"WHERE id BETWEEN ? AND ? AND id NOT IN ({kept})"
            ends = (entries[0].id, entries[-1].id)
            size, = self._database.execute(
                f"SELECT coalesce(sum(size), 0) FROM journal {these}", ends).fetchone()
            self._change(f"DELETE FROM journal {these}", ends)
            self._messages -= sum(entry.counted for entry in entries)
            self._bytes -= size
            self._entries -= len(entries)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._database.close()

    def _change(self, statement: str, values: tuple[object, ...]) -> None:
        try:
            self._database.execute(statement, values)
        except sqlite3.Error as error:
            raise JournalFull(f"journal {self._path}: {error}") from error


def _sums(database: sqlite3.Connection) -> tuple[int, int, int]:
    messages, size, entries = database.execute(
        "SELECT coalesce(sum(messages), 0), coalesce(sum(size), 0), count(*) FROM journal"
    ).fetchone()
    return messages, size, entries
