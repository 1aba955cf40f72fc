"""Opening the ledger: one engine, migrated to the newest tables, on SQLite or PostgreSQL."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    NoSuchModuleError,
    OperationalError,
)

from seatwatt.contract.errors import InputError, SettingsError, StoreUnavailable
from seatwatt.settings import LedgerSettings

_BUSY_TIMEOUT_S = 30.0
_WAL_TRIES = 50
_VERSIONS = Path(__file__).parent / "migrations" / "versions"


def open_engine(settings: LedgerSettings) -> Engine:
    """The ledger at `settings.ledger_url`, migrated to head; safe from several processes at once.

    SettingsError when the address is wrong or what lies there is no ledger of ours,
    StoreUnavailable when the database does not answer.
    """
    url = _checked(settings.ledger_url)
    engine = _sqlite(url) if url.get_backend_name() == "sqlite" else _postgresql(url)
    try:
        _migrate_or_tell(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def open_existing(settings: LedgerSettings) -> Engine:
    """As `open_engine`, for who only asks: a file that is not there is a SettingsError, and is not
    made in the place of the right one."""
    file = ledger_file(settings)
    if file is not None and not file.exists():
        raise SettingsError(f"SEATWATT_LEDGER_URL: there is no ledger {file}; expected one that a "
                            "service has made")
    return open_engine(settings)


def _migrate_or_tell(engine: Engine) -> None:
    try:
        if not _is_at_head(engine):
            migrate(engine)
    except (DBAPIError, SettingsError) as error:
        reason = str(error.orig if isinstance(error, DBAPIError) else error).strip()
        raise SettingsError(f"ledger {engine.url.render_as_string(hide_password=True)}: "
                            f"{reason.splitlines()[0]}; expected an empty database, or a ledger "
                            "of this version of Seatwatt or an older one") from None


def _is_at_head(engine: Engine) -> bool:
    """Whether there is nothing to migrate: asked without Alembic, and without the write lock."""
    with reading(engine) as connection:
        if not inspect(connection).has_table("alembic_version"):
            return False
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    return list(found) == [newest_version()]


def newest_version() -> str:
    """Of the migrations that lie here: `v0008_no_truncate.py` makes version 0008."""
    return max(file.name[1:5] for file in _VERSIONS.glob("v[0-9][0-9][0-9][0-9]_*.py"))


def migrate(engine: Engine) -> None:
    """Bring the tables to head, in one transaction under a lock."""
    from seatwatt.ledger.migrating import migrate_within
    with writing(engine) as connection:
        migrate_within(connection)


def ledger_file(settings: LedgerSettings) -> Path | None:
    """The file of a ledger on SQLite, None for a server; SettingsError for a wrong address."""
    url = _checked(settings.ledger_url)
    return Path(str(url.database)) if url.get_backend_name() == "sqlite" else None


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that may write: committed at the end, rolled back on any error.

    On SQLite it takes the write lock at once: a reader that turns writer can not wait for it.
    """
    with _translated(engine), engine.connect() as connection:
        connection.execution_options(seatwatt_writes=True)
        with connection.begin():
            yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that reads one consistent state, however many queries it takes."""
    with _translated(engine), engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ",
                                         postgresql_readonly=True)
        with connection.begin():
            yield connection


@contextmanager
def _translated(engine: Engine) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        reason = str(error.orig).strip().splitlines()[0]
        if isinstance(error, OperationalError) or error.connection_invalidated:
            shown = engine.url.render_as_string(hide_password=True)
            raise StoreUnavailable(f"ledger {shown}: {reason}") from error
        if isinstance(error, DataError):
            raise _refused(reason) from error
        raise
    except OverflowError as error:
        raise _refused("it needs more than 64 bits") from error


def _refused(reason: str) -> InputError:
    """What was asked for or is to be kept fits in no column."""
    return InputError("value", f"the ledger does not take it: {reason}")


def _checked(address: str) -> URL:
    expected = "expected sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE"
    try:
        url = make_url(address)
        url.get_dialect()
    except (ArgumentError, NoSuchModuleError, ImportError):
        raise SettingsError(f"SEATWATT_LEDGER_URL: not an address we know; {expected}") from None
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername not in ("sqlite", "sqlite+pysqlite", "postgresql+psycopg"):
        raise SettingsError(f"SEATWATT_LEDGER_URL: {url.drivername} is not supported; {expected}")
    if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        raise SettingsError(f"SEATWATT_LEDGER_URL: it names no file; {expected}")
    return url


def _postgresql(url: URL) -> Engine:
    return create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": 10})


def _sqlite(url: URL) -> Engine:
    folder = Path(str(url.database)).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"SEATWATT_LEDGER_URL: cannot make {folder}: {error.strerror}"
                            ) from None
    engine = create_engine(url, connect_args={"timeout": _BUSY_TIMEOUT_S})
    event.listen(engine, "connect", _on_sqlite_connect)
    event.listen(engine, "begin", _on_sqlite_begin)
    return engine


def _on_sqlite_connect(connection: Any, _record: Any) -> None:
    # The driver's own BEGIN comes too late and commits before DDL; we say BEGIN ourselves.
    connection.isolation_level = None
    _switch_to_wal(connection)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def _switch_to_wal(connection: Any) -> None:
    """SQLite does not wait for its lock while it changes the journal mode: try again ourselves."""
    for attempt in range(_WAL_TRIES):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except Exception as error:
            if "locked" not in str(error) or attempt == _WAL_TRIES - 1:
                raise
            time.sleep(0.1)


def _on_sqlite_begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("seatwatt_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
