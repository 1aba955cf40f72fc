"""The ledger opens on SQLite and PostgreSQL, once or by several processes at once."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, insert, text
from sqlalchemy.exc import DBAPIError

from seatwatt.contract.errors import InputError, SeatwattError, SettingsError, StoreUnavailable
from seatwatt.ledger.open import newest_version, open_engine, reading, writing
from seatwatt.ledger.people_tables import metadata
from seatwatt.ledger.tables import changes
from seatwatt.settings import LedgerSettings
from tests.servers import free_port


def test_migrations_build_what_the_tables_declare(ledger: Engine) -> None:
    with reading(ledger) as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_opening_again_finds_the_work_done(ledger_settings: LedgerSettings) -> None:
    open_engine(ledger_settings).dispose()
    engine = open_engine(ledger_settings)
    with reading(engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM alembic_version")).scalar_one() == 1
    engine.dispose()


def test_the_newest_version_is_known_without_alembic(ledger: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", "seatwatt.ledger:migrations")
    assert newest_version() == ScriptDirectory.from_config(config).get_current_head()
    said = subprocess.run([sys.executable, "-c", f"{OPEN}print('alembic' in sys.modules)",
                           ledger.url.render_as_string(hide_password=False)],
                          capture_output=True, text=True, check=True)
    assert said.stdout == "False\n"


OPEN = """
import sys
from seatwatt.ledger.open import open_engine
from seatwatt.settings import LedgerSettings
open_engine(LedgerSettings(ledger_url=sys.argv[1])).dispose()
"""


def test_several_processes_open_an_empty_ledger_at_once(ledger_settings: LedgerSettings) -> None:
    others = [subprocess.Popen([sys.executable, "-c", OPEN, ledger_settings.ledger_url])
              for _ in range(4)]
    assert [other.wait() for other in others] == [0, 0, 0, 0]


def test_sqlite_waits_writes_through_and_holds_references(tmp_path: Path) -> None:
    engine = open_engine(LedgerSettings(ledger_url=f"sqlite:///{tmp_path}/deep/er/ledger.db"))
    with reading(engine) as connection:
        pragmas = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
                   for name in ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")}
    engine.dispose()
    assert pragmas == {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 2,
                       "busy_timeout": 30000}


def test_a_failed_write_leaves_nothing(ledger: Engine) -> None:
    def write_half() -> None:
        with writing(ledger) as connection:
            connection.execute(insert(changes), [_CHANGE])
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        write_half()
    with reading(ledger) as connection:
        assert connection.execute(text("SELECT count(*) FROM changes")).scalar_one() == 0


@pytest.mark.parametrize("statement", ["UPDATE changes SET who = 'nobody'", "DELETE FROM changes"])
def test_the_audit_trail_refuses_to_be_rewritten(ledger: Engine, statement: str) -> None:
    with writing(ledger) as connection:
        connection.execute(insert(changes), [_CHANGE])
    with pytest.raises(DBAPIError, match="append-only"), writing(ledger) as connection:
        connection.execute(text(statement))


@pytest.mark.parametrize("ledger", ["postgresql"], indirect=True)  # SQLite knows no TRUNCATE
@pytest.mark.parametrize("table", ["changes", "papers", "readings_by_hand", "deeds", "runs",
                                   "statements", "runs CASCADE"])
def test_nothing_that_must_stay_is_emptied_at_once(ledger: Engine, table: str) -> None:
    with pytest.raises(DBAPIError, match=r"append-only|immutable|foreign key"), \
            writing(ledger) as connection:
        connection.execute(text(f"TRUNCATE {table}"))


_CHANGE = {"site_id": "s", "revision": 1, "at_ms": 1, "who": "w", "action": "added",
           "kind": "site", "name": "s", "before": None, "after": {}}


@pytest.mark.parametrize(("address", "said"), [
    ("", "not an address"),
    ("nonsense", "not an address"),
    ("mysql://host/ledger", "SEATWATT_LEDGER_URL"),
    ("oracle://host/ledger", "SEATWATT_LEDGER_URL"),
    ("sqlite://", "names no file"),
    ("sqlite:///:memory:", "names no file"),
])
def test_a_wrong_address_is_one_clear_line(address: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said) as raised:
        open_engine(LedgerSettings(ledger_url=address))
    assert "\n" not in str(raised.value)


def test_a_database_that_is_down_is_named_without_its_password() -> None:
    url = f"postgresql://me:secret@127.0.0.1:{free_port()}/ledger"
    with pytest.raises(StoreUnavailable, match="refused") as raised:
        open_engine(LedgerSettings(ledger_url=url))
    assert "secret" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="cannot make"):
        open_engine(LedgerSettings(ledger_url=f"sqlite:///{tmp_path}/file/sub/ledger.db"))


def test_a_ledger_of_a_newer_version_is_not_touched(ledger_settings: LedgerSettings) -> None:
    engine = open_engine(ledger_settings)
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(SettingsError, match="'9999'; expected an empty database, or a ledger"):
        open_engine(ledger_settings)


def test_a_file_that_is_no_database_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_text("no database" * 100)
    with pytest.raises(SettingsError, match="file is not a database; expected") as raised:
        open_engine(LedgerSettings(ledger_url=f"sqlite:///{tmp_path}/ledger.db"))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("number", [1 << 63, 10 ** 40, -10 ** 40])
def test_a_number_larger_than_a_column_is_the_callers_fault(ledger: Engine, number: int) -> None:
    row = {"site_id": "s", "revision": 1, "who": "x", "action": "create", "kind": "k", "name": "n"}
    with pytest.raises(InputError, match="value: the ledger does not take it"), \
            writing(ledger) as connection:
        connection.execute(insert(changes).values(**row, at_ms=number))


def test_somebody_elses_tables_are_one_clear_line(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as other:
        other.execute("CREATE TABLE sites (id)")
    with pytest.raises(SeatwattError, match="table sites already exists"):
        open_engine(LedgerSettings(ledger_url=f"sqlite:///{tmp_path}/ledger.db"))
