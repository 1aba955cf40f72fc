"""Bringing the ledger's tables to the newest with Alembic.

Importing it takes longer than drafting a small site, so `open.py` does so only where there is
something to migrate.
"""

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, text

from seatwatt.contract.errors import SettingsError

_MIGRATION_LOCK = 0x5EA7_3A77
"""Key of the PostgreSQL advisory lock under which one process migrates."""


def migrate_within(connection: Connection) -> None:
    """To head, within a transaction that writes: of two processes starting together one migrates
    and the other finds the work done. SettingsError for a version that is not known here."""
    config = Config()
    config.set_main_option("script_location", "seatwatt.ledger:migrations")
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise SettingsError(str(error)) from None
