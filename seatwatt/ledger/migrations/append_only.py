"""Tables whose rows may be added but never changed or taken away: the database itself refuses."""

from alembic import op

_SQLITE = """
CREATE TRIGGER {table}_no_{event} BEFORE {event} ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END
"""

_POSTGRESQL_FUNCTION = """
CREATE OR REPLACE FUNCTION seatwatt_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$
"""

_POSTGRESQL = """
CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
FOR EACH ROW EXECUTE FUNCTION seatwatt_append_only()
"""


def protect(table: str) -> None:
    """Make `table` append-only."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_POSTGRESQL_FUNCTION)
        op.execute(_POSTGRESQL.format(table=table))
        return
    for event in ("update", "delete"):
        op.execute(_SQLITE.format(table=table, event=event))

_FROZEN_SQLITE = """
CREATE TRIGGER {table}_frozen_{event} BEFORE {event}{columns} ON {table} WHEN {frozen}
BEGIN SELECT RAISE(ABORT, '{table}: what is issued is immutable'); END
"""

_FROZEN_FUNCTION = """
CREATE OR REPLACE FUNCTION seatwatt_frozen() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '%: what is issued is immutable', TG_TABLE_NAME; END $$
"""

_FROZEN_POSTGRESQL = """
CREATE TRIGGER {table}_frozen_{event} BEFORE {event}{columns} ON {table}
FOR EACH ROW WHEN ({frozen}) EXECUTE FUNCTION seatwatt_frozen()
"""


def freeze(table: str, frozen: str, columns: tuple[str, ...]) -> None:
    """Rows for which `frozen` (SQL about OLD) holds keep these columns and are never deleted."""
    postgresql = op.get_bind().dialect.name == "postgresql"
    if postgresql:
        op.execute(_FROZEN_FUNCTION)
    names = ", ".join(f'"{column}"' for column in columns)
    for event, of in (("update", f" OF {names}"), ("delete", "")):
        statement = _FROZEN_POSTGRESQL if postgresql else _FROZEN_SQLITE
        op.execute(statement.format(table=table, event=event, columns=of, frozen=frozen))
