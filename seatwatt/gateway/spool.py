"""The spool: packs on disk until ingest's receipt says that they rest elsewhere.

Numbers are given here: a pack's id is `{epoch}-{sequence}`, and a sequence is never given twice
in an epoch. Each commit is one transaction with one fsync, whatever it holds.
"""

import logging
import shutil
import sqlite3
import threading
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from seatwatt.contract.devices import Device
from seatwatt.gateway.packs import Draft, Rank
from seatwatt.gateway.spool_file import open_file
from seatwatt.gateway.spool_held import Held
from seatwatt.sqlite_own import set_aside

LOG = logging.getLogger("seatwatt.gateway")
_SPARED = 0.01
"""Share of the bound that a sacrifice frees beyond the need, so that not every commit makes one."""
_AT_ONCE = 50


class SpoolFull(Exception):
    """The disk takes no more, or not now."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the spool may hold. `reserve_bytes`: disk space it leaves to others, so below
    that the file does not grow."""

    max_bytes: int
    max_age_ms: int
    reserve_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Pack:
    """One pack as it goes to the broker."""

    sequence: int
    readings: int
    payload: bytes


class Spool:
    """Packs in order of their sequence. Safe to use from several threads, by one process."""

    def __init__(self, path: Path, gateway: Device, limits: Limits) -> None:
        """SettingsError when no file can be used."""
        self._path, self._gateway, self._limits = path, gateway, limits
        self._lock = threading.Lock()
        self._done: set[int] = set()
        self._open()

    def _open(self) -> None:
        self._database, self.epoch = open_file(self._path)
        one = self._database.execute
        self.tally: dict[str, int] = dict(one("SELECT name, count FROM tally").fetchall())
        row = one("SELECT seq FROM sqlite_sequence WHERE name = 'pack'").fetchone()
        self.last = row[0] if row else 0
        self.packs: int
        self.packs, = one("SELECT count(*) FROM pack").fetchone()
        self._holds: bool = one("SELECT count(*) FROM held").fetchone() != (0,)

    @property
    def dropped(self) -> int:
        """Readings given up since the spool began, for whatever reason."""
        return sum(count for name, count in self.tally.items() if name.startswith("dropped_"))

    @property
    def used_bytes(self) -> int:
        """Bytes of the file that hold something."""
        with self._lock:
            return self._used()

    def commit(self, drafts: Sequence[Draft], now_ms: int | None = None,
               hold: Sequence[Held] = (), let_go: bool = False) -> None:
        """Have these on disk when it returns, and what `forget` named gone.

        With `now_ms`, packs of more than the greatest age are given up. `let_go`: what was held
        is among the drafts. SpoolFull: nothing has changed. A file found damaged is set aside,
        and the drafts go to the new one.
        """
        with self._lock:
            try:
                self._transaction(drafts, now_ms, hold, let_go)
            except sqlite3.OperationalError as error:
                raise SpoolFull(f"spool {self._path}: {error}") from error
            except sqlite3.DatabaseError:
                self._renew()
                self._transaction(drafts, now_ms, hold, let_go)

    def count(self, name: str, by: int) -> None:
        """Add to a count, which the next commit puts on disk."""
        with self._lock:
            self._count(name, by)

    def forget(self, sequences: Iterable[int]) -> None:
        """These rest elsewhere: the next commit removes them."""
        with self._lock:
            self._done.update(sequences)

    def is_forgotten(self, sequence: int) -> bool:
        """Whether `forget` named it and no commit has removed it yet."""
        return sequence in self._done

    @property
    def has_news(self) -> bool:
        """Whether a commit without drafts would do something."""
        return bool(self._done)

    def between(self, after: int, before: int, limit: int) -> list[Pack]:
        """The oldest packs with a sequence in (after, before); SpoolFull when the disk fails."""
        return self._select("sequence > ? AND sequence < ? ORDER BY sequence LIMIT ?",
                            (after, before, limit))

    def get(self, sequence: int) -> Pack | None:
        """One pack; None when it is gone."""
        found = self._select("sequence = ?", (sequence,))
        return found[0] if found else None

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._database.close()

    def _select(self, condition: str, values: tuple[int, ...]) -> list[Pack]:
        with self._lock:
            try:
                rows = self._database.execute(
                    f"SELECT sequence, readings, body FROM pack WHERE {condition}", values
                ).fetchall()
                return [Pack(sequence, readings, zlib.decompress(body))
                        for sequence, readings, body in rows]
            except sqlite3.OperationalError as error:
                raise SpoolFull(f"spool {self._path}: {error}") from error
            except (sqlite3.DatabaseError, zlib.error):
                self._renew()
                return []

    def payload(self, draft: Draft, pack_id: str) -> bytes:
        """The message of a pack that is not spooled."""
        return draft.payload(self._gateway, pack_id)

    def held(self) -> list[Held]:
        """Samples that wait for the clock, oldest first."""
        if not self._holds:
            return []
        with self._lock:
            rows = self._database.execute("SELECT boot, offset_ms, body FROM held ORDER BY id")
            return [Held.of(*row) for row in rows.fetchall()]

    def _transaction(self, drafts: Sequence[Draft], now_ms: int | None,
                     hold: Sequence[Held], let_go: bool) -> None:
        execute = self._database.execute
        tally, packs, last = dict(self.tally), self.packs, self.last
        execute("BEGIN IMMEDIATE")
        try:
            self._remove_done()
            if let_go:
                execute("DELETE FROM held")
            self._database.executemany("INSERT INTO held (boot, offset_ms, body) VALUES (?, ?, ?)",
                                       [(one.boot, one.offset_ms, one.body()) for one in hold])
            self._insert(drafts)
            self._drop_old(now_ms)
            self._sacrifice()
            self._database.executemany("INSERT OR REPLACE INTO tally (name, count) VALUES (?, ?)",
                                       self.tally.items())
            execute("COMMIT")
        except BaseException:
            self.tally, self.packs, self.last = tally, packs, last
            # SQLite has rolled back by itself after some errors.
            if self._database.in_transaction:
                execute("ROLLBACK")
            raise
        self._done.clear()
        self._holds = bool(hold) or (self._holds and not let_go)

    def _remove_done(self) -> None:
        for sequence in self._done:
            gone = self._database.execute("DELETE FROM pack WHERE sequence = ?", (sequence,))
            self.packs -= gone.rowcount
            self._count("stored_packs", gone.rowcount)

    def _insert(self, drafts: Sequence[Draft]) -> None:
        for draft in drafts:
            self.last += 1
            payload = draft.payload(self._gateway, f"{self.epoch}-{self.last}")
            self._database.execute(
                "INSERT INTO pack (sequence, rank, readings, taken_at_ms, body) "
                "VALUES (?, ?, ?, ?, ?)",
                (self.last, draft.rank, len(draft.batch), max(draft.batch.taken_at_ms),
                 zlib.compress(payload)))
            self._count("spooled_readings", len(draft.batch))
        self.packs += len(drafts)

    def _drop_old(self, now_ms: int | None) -> None:
        if now_ms is None:
            return
        oldest_ms = now_ms - self._limits.max_age_ms
        while True:
            rows = self._database.execute(
                "SELECT sequence FROM pack WHERE taken_at_ms < ? AND sequence <= "
                "(SELECT min(sequence) + ? FROM pack)", (oldest_ms, _AT_ONCE)).fetchall()
            if not rows:
                return
            self._drop([sequence for sequence, in rows])

    def _sacrifice(self) -> None:
        """Oldest first, and no state while there are gauges, no register while there are states."""
        bound = self._bound()
        if self._used() > bound:
            while self._used() > bound * (1 - _SPARED) and self._give_up_one():
                pass

    def _give_up_one(self) -> bool:
        """False when nothing is left. What waits for the clock, registers among it, goes before
        packs of registers, whose time is known."""
        lowest, = self._database.execute("SELECT min(rank) FROM pack").fetchone()
        if lowest in (None, Rank.REGISTER) and self._give_up_held():
            return True
        if lowest is not None:
            first, = self._database.execute("SELECT min(sequence) FROM pack WHERE rank = ?",
                                            (lowest,)).fetchone()
            self._drop([first])
        return lowest is not None

    def _give_up_held(self) -> bool:
        rows = self._database.execute(
            "DELETE FROM held WHERE id = (SELECT min(id) FROM held) "
            "RETURNING boot, offset_ms, body").fetchall()
        for row in rows:
            self._count("dropped_timeless_readings", len(Held.of(*row).samples))
        return bool(rows)

    def _drop(self, sequences: Sequence[int]) -> None:
        for sequence in sequences:
            (rank, readings), = self._database.execute(
                "DELETE FROM pack WHERE sequence = ? RETURNING rank, readings", (sequence,)
            ).fetchall()
            self.packs -= 1
            self._count(_dropped(Rank(rank)), readings)

    def _bound(self) -> int:
        free = shutil.disk_usage(self._path.parent).free
        if free >= self._limits.reserve_bytes:
            return self._limits.max_bytes
        return min(self._limits.max_bytes, self._path.stat().st_size)

    def _used(self) -> int:
        pages, free, size = (self._database.execute(f"PRAGMA {name}").fetchone()[0]
                             for name in ("page_count", "freelist_count", "page_size"))
        return int((pages - free) * size)

    def _count(self, name: str, by: int) -> None:
        if by:
            self.tally[name] = self.tally.get(name, 0) + by

    def _renew(self) -> None:
        """The file turned out to be damaged: go on with a new one, and with our counts."""
        tally = self.tally
        self._database.close()
        set_aside(self._path)
        self._open()
        self.tally, self._done = tally, set()


def _dropped(rank: Rank) -> str:
    return f"dropped_{rank.name.lower()}_readings"
