"""The ledger saved while it is used, and brought back, to SQLite or PostgreSQL alike.

A saved ledger is always a SQLite file: from SQLite by its online backup, from PostgreSQL row by row
in one transaction that sees one moment. So it can also move from the one to the other.
"""

from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Table,
    delete,
    func,
    insert,
    select,
    text,
)
from sqlalchemy import column as named
from sqlalchemy import table as named_table

from seatwatt.contract.errors import InputError
from seatwatt.ledger.migrating import migrate_within
from seatwatt.ledger.open import ledger_file, open_engine, reading, writing
from seatwatt.ledger.people_tables import metadata
from seatwatt.settings import LedgerSettings
from seatwatt.sqlite_copy import check_replaceable, put_in_place, snapshot

_ROWS = 1000
_LOCK_WAIT_S = 10
_TABLES = metadata.sorted_tables
"""All of them, those that others refer to first."""
_SEQUENCES = named_table("sqlite_sequence", named("name"), named("seq"))
"""Where SQLite keeps the highest number given in each table."""


def save_ledger(settings: LedgerSettings, target: Path) -> str:
    """`target` becomes a SQLite copy of the ledger at one moment; the version of its tables."""
    file = ledger_file(settings)
    if file is not None:
        snapshot(file, target)
    else:
        source, copy = open_engine(settings), open_engine(_at(target))
        try:
            with reading(source) as rows, writing(copy) as into:
                _copy(rows, into)
            with copy.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            source.dispose()
            copy.dispose()
    return ledger_version(target)


def ledger_version(copy: Path) -> str:
    """The migration its tables are at. InputError when it is no ledger this version can read."""
    engine = open_engine(_at(copy))
    try:
        with reading(engine) as connection:
            return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar())
    finally:
        engine.dispose()


def check_ledger_replaceable(settings: LedgerSettings, *, force: bool) -> None:
    """InputError when there is a ledger and not `force`; StoreUnavailable when it is in use."""
    file = ledger_file(settings)
    if file is not None:
        check_replaceable(file, force=force)
        return
    if force:
        return
    engine = open_engine(settings)
    try:
        with reading(engine) as connection:
            filled = [table.name for table in _TABLES
                      if connection.execute(select(table).limit(1)).first()]
    finally:
        engine.dispose()
    if filled:
        raise InputError("SEATWATT_LEDGER_URL", f"there is a ledger already ({filled[0]} has rows)",
                         "an empty database, or --force to replace what is there")


def restore_ledger(copy: Path, settings: LedgerSettings) -> None:
    """The ledger becomes the copy, brought to this version's tables; all of it or nothing."""
    file = ledger_file(settings)
    ledger_version(copy)  # brings it to the newest tables
    if file is not None:
        put_in_place(copy, file)
        return
    source, target = open_engine(_at(copy)), open_engine(settings)
    try:
        _replace(source, target)
    finally:
        source.dispose()
        target.dispose()


def _replace(source: Engine, target: Engine) -> None:
    with writing(target) as into:
        into.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_WAIT_S}s'"))
        # Rows that may not be changed cannot be deleted either, but with their tables they go.
        into.execute(text("DROP TABLE IF EXISTS alembic_version"))
        metadata.drop_all(into)
        migrate_within(into)
        with reading(source) as rows:
            _copy(rows, into)


def _copy(rows: Connection, into: Connection) -> None:
    for table in _TABLES:
        found = rows.execution_options(yield_per=_ROWS).execute(select(table))
        for part in found.partitions():
            into.execute(insert(table), [dict(row._mapping) for row in part])
    for table in _TABLES:
        counter = table.autoincrement_column
        if counter is not None:
            _count_on(into, table, counter, _counted(rows, table, counter))


def _counted(rows: Connection, table: Table, column: Column[Any]) -> int:
    """The highest number ever given: that of a row long gone is not given again."""
    if rows.dialect.name == "sqlite":
        query = select(_SEQUENCES.c.seq).where(_SEQUENCES.c.name == table.name)
        return int(rows.execute(query).scalar() or 0)
    sequence = rows.execute(select(_sequence_of(table, column))).scalar()
    last, called = rows.execute(text(f"SELECT last_value, is_called FROM {sequence}")).one()
    return int(last) if called else 0


def _count_on(into: Connection, table: Table, column: Column[Any], counted: int) -> None:
    highest = max(counted, into.execute(select(func.max(column))).scalar() or 0)
    if not highest:
        return
    if into.dialect.name == "sqlite":
        into.execute(delete(_SEQUENCES).where(_SEQUENCES.c.name == table.name))
        into.execute(insert(_SEQUENCES), {"name": table.name, "seq": highest})
    else:
        into.execute(select(func.setval(_sequence_of(table, column), highest)))


def _sequence_of(table: Table, column: Column[Any]) -> Any:
    return func.pg_get_serial_sequence(table.name, column.name)


def _at(file: Path) -> LedgerSettings:
    return LedgerSettings(ledger_url=f"sqlite:///{file}")
