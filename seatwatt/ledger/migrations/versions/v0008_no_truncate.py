"""PostgreSQL's TRUNCATE asks no trigger that looks at rows: it is refused for itself."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_APPEND_ONLY = ("changes", "papers", "readings_by_hand", "deeds")
_FROZEN = ("runs", "statements")


def upgrade() -> None:
    """Refuse it, of these tables and of whatever takes them along."""
    if op.get_bind().dialect.name != "postgresql":
        return  # SQLite knows no such statement.
    for tables, refuse in ((_APPEND_ONLY, "append_only"), (_FROZEN, "frozen")):
        for table in tables:
            op.execute(f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
                       f"FOR EACH STATEMENT EXECUTE FUNCTION seatwatt_{refuse}()")


def downgrade() -> None:
    """Allow it."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for table in (*_APPEND_ONLY, *_FROZEN):
        op.execute(f"DROP TRIGGER {table}_no_truncate ON {table}")
