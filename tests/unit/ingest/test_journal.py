"""The journal on disk: bounded, durable, in order, and not shared."""

import sqlite3
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwatt.contract.errors import SettingsError
from seatwatt.ingest.journal import Entry, Journal, JournalFull

MESSAGES = [(b"a/b", b"payload", 5), (b"a/c", b"", 6)]


def fill(journal: Journal, messages: list[tuple[bytes, bytes, int]]) -> None:
    for _ in range(1000):
        journal.put(messages, len(messages), False)


def test_entries_come_back_as_they_went_in_and_in_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db", 1 << 20)
    journal.put(MESSAGES, 2, False)
    journal.put(MESSAGES[:1], 1, True)
    journal.close()
    again = Journal(tmp_path / "journal.db", 1 << 20)
    assert (again.messages, again.entries) == (3, 2)
    first = again.oldest()
    assert first is not None
    assert (first.messages, first.counted, first.refused) == (MESSAGES, 2, False)
    second = again.oldest(first.id)
    assert second is not None
    assert second.refused
    assert again.oldest(second.id) is None
    again.remove([first, second])
    assert (again.messages, again.entries, again.size_bytes, again.oldest()) == (0, 0, 0, None)
    again.close()


@given(st.lists(st.tuples(st.binary(max_size=60), st.binary(max_size=300), st.integers(0, 2**50)),
                max_size=30))
def test_any_bytes_survive(messages: list[tuple[bytes, bytes, int]]) -> None:
    journal = Journal(Path(":memory:"), 1 << 20)
    journal.put(messages, len(messages), False)
    entry = journal.oldest()
    assert entry is not None
    assert entry.messages == messages
    journal.close()


def test_at_its_bound_it_takes_nothing_more_and_says_so(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db", 300)
    with pytest.raises(JournalFull, match="at its bound of 300 bytes"):
        fill(journal, MESSAGES)
    assert 0 < journal.size_bytes <= 300
    assert 80 < journal.fill_pct <= 100
    entry = journal.oldest()
    assert entry is not None
    journal.remove([entry])
    journal.put(MESSAGES, 2, False)
    journal.close()


def test_a_full_disk_is_a_full_journal_and_no_more(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db", 1 << 30)
    journal._database.execute("PRAGMA max_page_count = 10")
    bulky = [(b"a", bytes(range(256)) * 40 + b"%d" % n, n) for n in range(4)]
    with pytest.raises(JournalFull, match="full"):
        fill(journal, bulky)
    taken = journal.entries
    journal._database.execute("PRAGMA max_page_count = 100000")
    journal.put(bulky, 4, False)
    assert journal.entries == taken + 1
    journal.close()


def test_it_leaves_the_reserve_of_the_disk_alone(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db", 1 << 20, reserve_bytes=1 << 60)
    with pytest.raises(JournalFull, match="of disk left"):
        journal.put(MESSAGES, 2, False)
    journal.close()


def test_a_second_process_is_kept_out(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db", 1 << 20)
    with pytest.raises(SettingsError, match=r"SEATWATT_INGEST_STATE: cannot use .*another process"):
        Journal(tmp_path / "journal.db", 1 << 20)
    journal.close()


@pytest.mark.parametrize("damage", [b"this is no database", b"SQLite format 3\0" + b"\xff" * 2000])
def test_a_damaged_file_is_set_aside_and_kept(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(damage)
    journal = Journal(path, 1 << 20)
    journal.put(MESSAGES, 2, False)
    journal.close()
    assert (tmp_path / "journal.db.damaged-1").read_bytes() == damage


def test_a_second_damaged_file_does_not_overwrite_the_first(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    for _ in range(2):
        path.write_bytes(b"this is no database")
        Journal(path, 1 << 20).close()
    assert {p.name for p in tmp_path.iterdir()} >= {"journal.db.damaged-1", "journal.db.damaged-2"}


def test_an_entry_that_cannot_be_read_stays_and_costs_no_other(
        tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "journal.db"
    journal = Journal(path, 1 << 20)
    for _ in range(4):
        journal.put(MESSAGES, 2, False)
    for damaged, body in ((2, b"not compressed"), (4, zlib.compress(b"no messages"))):
        journal._database.execute("UPDATE journal SET body = ? WHERE id = ?", (body, damaged))
    taken: list[Entry] = []
    for _ in range(2):
        taken, after = [], 0
        while (entry := journal.oldest(after)) is not None:
            taken.append(entry)
            after = entry.id
    assert [entry.id for entry in taken] == [1, 3]
    assert [message.split(" is damaged")[0][-7:] for message in caplog.messages] == [
        "entry 2", "entry 4"]
    journal.remove(taken)
    assert (journal.entries, journal.messages, journal.oldest()) == (0, 4, None)
    journal.close()
    again = Journal(path, 1 << 20)
    assert (again.messages, again.oldest(), again.entries) == (4, None, 0)
    again.close()


def test_a_folder_that_cannot_be_made_is_a_setting_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="SEATWATT_INGEST_STATE: cannot use"):
        Journal(tmp_path / "file" / "journal.db", 1 << 20)


def test_every_commit_waits_for_the_disk(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db", 1 << 20)
    pragma = {name: journal._database.execute(f"PRAGMA {name}").fetchone()[0]
              for name in ("synchronous", "journal_mode")}
    assert pragma == {"synchronous": 2, "journal_mode": "wal"}
    assert isinstance(journal._database, sqlite3.Connection)
    journal.close()
