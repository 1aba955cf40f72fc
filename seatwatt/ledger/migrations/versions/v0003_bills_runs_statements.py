"""Bills and price lists, operators' readings, runs and statements."""

import sqlalchemy as sa
from alembic import op

from seatwatt.ledger.migrations.append_only import freeze, protect

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    _papers()
    _readings_by_hand()
    _runs()
    _statements()
    protect("papers")
    protect("readings_by_hand")
    # All but `occupancy`, which may still be forgotten.
    freeze("runs", "OLD.state = 'issued'", (
        "id", "site_id", "from_", "to", "state", "revision", "inputs", "digest", "document",
        "drafted_at_ms", "drafted_by", "approved_at_ms", "approved_by", "issued_at_ms",
        "issued_by"))
    freeze("statements", "OLD.serial IS NOT NULL",
           ("run_id", "party", "site_id", "serial", "document"))


def downgrade() -> None:
    """Drop them, newest first."""
    for table in ("statements", "runs", "readings_by_hand", "papers"):
        op.drop_table(table)


def _papers() -> None:
    op.create_table(
        "papers",
        sa.Column("site_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("from_", sa.String(length=10), nullable=True),
        sa.Column("to", sa.String(length=10), nullable=True),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "kind", "name", "revision", name=op.f("pk_papers")),
    )


def _readings_by_hand() -> None:
    op.create_table(
        "readings_by_hand",
        sa.Column("id", COUNTER, autoincrement=True, nullable=False),
        sa.Column("site_id", sa.String(length=40), nullable=False),
        sa.Column("device", sa.String(length=128), nullable=False),
        sa.Column("quantity", sa.String(length=40), nullable=False),
        sa.Column("taken_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("register_wh", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_readings_by_hand")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_readings_by_hand_site_id_id"), "readings_by_hand", ["site_id", "id"])


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", COUNTER, autoincrement=True, nullable=False),
        sa.Column("site_id", sa.String(length=40), nullable=False),
        sa.Column("from_", sa.String(length=10), nullable=False),
        sa.Column("to", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("inputs", sa.LargeBinary(), nullable=False),
        sa.Column("occupancy", sa.LargeBinary(), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("drafted_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("drafted_by", sa.Text(), nullable=False),
        sa.Column("approved_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("issued_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("issued_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
        sa.UniqueConstraint("site_id", "from_", "to", name=op.f("uq_runs_site_id_from__to")),
        sqlite_autoincrement=True,
    )


def _statements() -> None:
    op.create_table(
        "statements",
        sa.Column("run_id", COUNTER, autoincrement=False, nullable=False),
        sa.Column("party", sa.String(length=40), nullable=False),
        sa.Column("site_id", sa.String(length=40), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_statements_runs")),
        sa.PrimaryKeyConstraint("run_id", "party", name=op.f("pk_statements")),
        sa.UniqueConstraint("site_id", "serial", name=op.f("uq_statements_site_id_serial")),
    )
    op.create_index(op.f("ix_statements_site_id_party"), "statements", ["site_id", "party"])
