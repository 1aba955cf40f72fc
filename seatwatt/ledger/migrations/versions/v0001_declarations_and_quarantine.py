"""Declarations of a site, their audit trail, and the quarantine."""

import sqlalchemy as sa
from alembic import op

from seatwatt.ledger.migrations.append_only import protect

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    _changes()
    _quarantine()
    _sites()
    _acceptances()
    _bands()
    _exchanges()
    _meters()
    _tenants()
    _zones()
    _bookings()
    _leases()
    _seats()
    _lease_seats()
    _lease_zones()
    protect("changes")


def downgrade() -> None:
    """Drop them, newest first."""
    for table in reversed((
        "changes", "quarantine", "sites", "acceptances", "bands", "exchanges", "meters",
        "tenants", "zones", "bookings", "leases", "seats", "lease_seats", "lease_zones"
    )):
        op.drop_table(table)


def _changes() -> None:
    op.create_table(
        "changes",
        sa.Column("id", COUNTER, autoincrement=True, nullable=False),
        sa.Column("site_id", sa.String(length=40), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("action", sa.String(length=8), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("before", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("after", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_changes")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_changes_site_id_id"), "changes", ["site_id", "id"])


def _quarantine() -> None:
    op.create_table(
        "quarantine",
        sa.Column("id", COUNTER, autoincrement=True, nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("received_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("rule", sa.String(length=8), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_quarantine_rule_id"), "quarantine", ["rule", "id"])


def _sites() -> None:
    op.create_table(
        "sites",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("interval_s", sa.Integer(), nullable=False),
        sa.Column("max_gap_s", sa.Integer(), nullable=False),
        sa.Column("unaccounted_rule", sa.String(length=20), nullable=False),
        sa.Column("unaccounted_otherwise", sa.String(length=20), nullable=False),
        sa.Column("unaccounted_vacant_counts", sa.Boolean(), nullable=False),
        sa.Column("unaccounted_weights", sa.JSON(), nullable=False),
        sa.Column("unaccounted_alarm_pct", sa.Float(), nullable=False),
        sa.Column("seat_parent", sa.Text(), nullable=True),
        sa.Column("seat_max_power_w", sa.Float(), nullable=True),
        sa.Column("seat_register_modulus_wh", sa.Float(), nullable=True),
        sa.Column("seat_multiplier", sa.Float(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("changed_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("leases_counted", sa.Integer(), nullable=False),
        sa.Column("bookings_counted", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sites")),
    )


def _acceptances() -> None:
    op.create_table(
        "acceptances",
        sa.Column("site_id", sa.String(length=40), nullable=False),
        sa.Column("meter", sa.String(length=128), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_acceptances_sites"),
                                ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("site_id", "position", name=op.f("pk_acceptances")),
    )


def _bands() -> None:
    op.create_table(
        "bands",
        sa.Column("site_id", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("band", sa.String(length=40), nullable=False),
        sa.Column("months", sa.JSON(), nullable=False),
        sa.Column("days", sa.JSON(), nullable=False),
        sa.Column("start", sa.String(length=8), nullable=False),
        sa.Column("end", sa.String(length=8), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_bands_sites"),
                                ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("site_id", "position", name=op.f("pk_bands")),
    )


def _exchanges() -> None:
    op.create_table(
        "exchanges",
        sa.Column("site_id", sa.String(length=40), nullable=False),
        sa.Column("meter", sa.String(length=128), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("final_wh", sa.Float(), nullable=False),
        sa.Column("initial_wh", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_exchanges_sites"),
                                ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("site_id", "meter", "at_ms", "quantity", name=op.f("pk_exchanges")),
    )


def _meters() -> None:
    op.create_table(
        "meters",
        sa.Column("site_id", sa.String(length=40), nullable=False),
        sa.Column("device", sa.String(length=128), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=True),
        sa.Column("parent", sa.String(length=128), nullable=True),
        sa.Column("share_rule", sa.String(length=20), nullable=False),
        sa.Column("share_otherwise", sa.String(length=20), nullable=False),
        sa.Column("share_vacant_counts", sa.Boolean(), nullable=False),
        sa.Column("share_weights", sa.JSON(), nullable=False),
        sa.Column("serves", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("metered", sa.Boolean(), nullable=False),
        sa.Column("storage", sa.Boolean(), nullable=False),
        sa.Column("max_power_w", sa.Float(), nullable=True),
        sa.Column("register_modulus_wh", sa.Float(), nullable=True),
        sa.Column("multiplier", sa.Float(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_meters_sites"),
                                ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("site_id", "device", name=op.f("pk_meters")),
    )


def _tenants() -> None:
    op.create_table(
        "tenants",
        sa.Column("site_id", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_tenants_sites"),
                                ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("site_id", "id", name=op.f("pk_tenants")),
    )


def _zones() -> None:
    op.create_table(
        "zones",
        sa.Column("site_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("area_m2", sa.Float(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_zones_sites"),
                                ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("site_id", "name", name=op.f("pk_zones")),
    )


def _bookings() -> None:
    op.create_table(
        "bookings",
        sa.Column("site_id", sa.String(length=40), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("tenant", sa.String(length=40), nullable=False),
        sa.Column("zone", sa.String(length=40), nullable=False),
        sa.Column("from_ms", sa.BigInteger(), nullable=False),
        sa.Column("to_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["site_id", "tenant"], ["tenants.site_id", "tenants.id"],
                                name=op.f("fk_bookings_tenants")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_bookings_sites"),
                                ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("site_id", "label", name=op.f("pk_bookings")),
    )


def _leases() -> None:
    op.create_table(
        "leases",
        sa.Column("site_id", sa.String(length=40), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("tenant", sa.String(length=40), nullable=False),
        sa.Column("from_", sa.String(length=40), nullable=False),
        sa.Column("to", sa.String(length=40), nullable=True),
        sa.Column("shift_days", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("shift_start", sa.String(length=8), nullable=True),
        sa.Column("shift_end", sa.String(length=8), nullable=True),
        sa.ForeignKeyConstraint(["site_id", "tenant"], ["tenants.site_id", "tenants.id"],
                                name=op.f("fk_leases_tenants")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_leases_sites"),
                                ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("site_id", "label", name=op.f("pk_leases")),
    )


def _seats() -> None:
    op.create_table(
        "seats",
        sa.Column("site_id", sa.String(length=40), nullable=False),
        sa.Column("zone", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["site_id", "zone"], ["zones.site_id", "zones.name"],
                                name=op.f("fk_seats_zones"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_seats_sites"),
                                ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("site_id", "zone", "name", name=op.f("pk_seats")),
    )


def _lease_seats() -> None:
    op.create_table(
        "lease_seats",
        sa.Column("site_id", sa.String(length=40), nullable=False),
        sa.Column("lease", sa.Text(), nullable=False),
        sa.Column("zone", sa.String(length=40), nullable=False),
        sa.Column("seat", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["site_id", "lease"], ["leases.site_id", "leases.label"],
                                name=op.f("fk_lease_seats_leases"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_lease_seats_sites"),
                                ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("site_id", "lease", "position", name=op.f("pk_lease_seats")),
    )


def _lease_zones() -> None:
    op.create_table(
        "lease_zones",
        sa.Column("site_id", sa.String(length=40), nullable=False),
        sa.Column("lease", sa.Text(), nullable=False),
        sa.Column("zone", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["site_id", "lease"], ["leases.site_id", "leases.label"],
                                name=op.f("fk_lease_zones_leases"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_lease_zones_sites"),
                                ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("site_id", "lease", "position", name=op.f("pk_lease_zones")),
    )
