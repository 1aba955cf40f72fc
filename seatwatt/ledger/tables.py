"""The ledger's tables. The migrations build the same; a test holds the two together.

Lists that belong to one row alone (months of a band, weights of a share) are JSON columns;
whatever may be asked for by itself has a table. Times are UTC milliseconds since 1970.
"""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData(naming_convention={
    "pk": "pk_%(table_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(referred_table_name)s",
})

COUNTER = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts only in a column of type INTEGER."""


def site_key() -> Column[str]:
    """The first column of everything that belongs to a site and goes with it."""
    return Column("site_id", String(40), ForeignKey("sites.id", ondelete="CASCADE"),
                  primary_key=True)


def _share(prefix: str) -> list[Column[Any]]:
    return [
        Column(f"{prefix}_rule", String(20), nullable=False),
        Column(f"{prefix}_otherwise", String(20), nullable=False),
        Column(f"{prefix}_vacant_counts", Boolean, nullable=False),
        Column(f"{prefix}_weights", JSON, nullable=False),
    ]


quarantine = Table(
    "quarantine", metadata,
    Column("id", COUNTER, primary_key=True, autoincrement=True),
    Column("topic", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("received_at_ms", BigInteger, nullable=False),
    Column("rule", String(8), nullable=False),
    Column("detail", Text, nullable=False),
    Index(None, "rule", "id"),
    # An id is a place in a list that people page through: never given twice.
    sqlite_autoincrement=True,
)

sites = Table(
    "sites", metadata,
    Column("id", String(40), primary_key=True),
    Column("name", Text, nullable=False),
    Column("time_zone", String(64), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("interval_s", Integer, nullable=False),
    Column("max_gap_s", Integer, nullable=False),
    Column("sanctioned_load_w", Float),
    *_share("unaccounted"),
    Column("unaccounted_alarm_pct", Float, nullable=False),
    Column("seat_parent", Text),
    Column("seat_max_power_w", Float),
    Column("seat_register_modulus_wh", Float),
    Column("seat_multiplier", Float),
    Column("revision", Integer, nullable=False),
    Column("changed_at_ms", BigInteger, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("leases_counted", Integer, nullable=False),
    Column("bookings_counted", Integer, nullable=False),
)

zones = Table(
    "zones", metadata, site_key(),
    Column("name", String(40), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("area_m2", Float),
    Column("title", Text, nullable=False),
)

seats = Table(
    "seats", metadata, site_key(),
    Column("zone", String(40), primary_key=True),
    Column("name", String(40), primary_key=True),
    Column("position", Integer, nullable=False),
    ForeignKeyConstraint(["site_id", "zone"], ["zones.site_id", "zones.name"],
                         ondelete="CASCADE"),
)

meters = Table(
    "meters", metadata, site_key(),
    Column("device", String(128), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("source", String(20)),
    Column("parent", String(128)),
    *_share("share"),
    Column("serves", JSON(none_as_null=True)),
    Column("metered", Boolean, nullable=False),
    Column("storage", Boolean, nullable=False),
    Column("max_power_w", Float),
    Column("register_modulus_wh", Float),
    Column("multiplier", Float, nullable=False),
    Column("title", Text, nullable=False),
)

exchanges = Table(
    "exchanges", metadata, site_key(),
    Column("meter", String(128), primary_key=True),
    Column("at_ms", BigInteger, primary_key=True),
    Column("quantity", String(40), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("final_wh", Float, nullable=False),
    Column("initial_wh", Float, nullable=False),
)

acceptances = Table(
    "acceptances", metadata, site_key(),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("meter", String(128), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
)

tenants = Table(
    "tenants", metadata, site_key(),
    Column("id", String(40), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("name", Text, nullable=False),
)

leases = Table(
    "leases", metadata, site_key(),
    Column("label", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("tenant", String(40), nullable=False),
    # A local date or an instant, as ISO 8601: which of the two it is must survive.
    Column("from_", String(40), nullable=False),
    Column("to", String(40)),
    Column("shift_days", JSON(none_as_null=True)),
    Column("shift_start", String(8)),
    Column("shift_end", String(8)),
    ForeignKeyConstraint(["site_id", "tenant"], ["tenants.site_id", "tenants.id"]),
)

lease_seats = Table(
    "lease_seats", metadata, site_key(),
    Column("lease", Text, primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("zone", String(40), nullable=False),
    Column("seat", String(40), nullable=False),
    ForeignKeyConstraint(["site_id", "lease"], ["leases.site_id", "leases.label"],
                         ondelete="CASCADE"),
)

lease_zones = Table(
    "lease_zones", metadata, site_key(),
    Column("lease", Text, primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("zone", String(40), nullable=False),
    ForeignKeyConstraint(["site_id", "lease"], ["leases.site_id", "leases.label"],
                         ondelete="CASCADE"),
)

bookings = Table(
    "bookings", metadata, site_key(),
    Column("label", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("tenant", String(40), nullable=False),
    Column("zone", String(40), nullable=False),
    Column("from_ms", BigInteger, nullable=False),
    Column("to_ms", BigInteger, nullable=False),
    ForeignKeyConstraint(["site_id", "tenant"], ["tenants.site_id", "tenants.id"]),
)

bands = Table(
    "bands", metadata, site_key(),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("band", String(40), nullable=False),
    Column("months", JSON, nullable=False),
    Column("days", JSON, nullable=False),
    Column("start", String(8), nullable=False),
    Column("end", String(8), nullable=False),
)

changes = Table(
    "changes", metadata,
    Column("id", COUNTER, primary_key=True, autoincrement=True),
    # No foreign key: the trail outlives what it tells of.
    Column("site_id", String(40), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("action", String(8), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("name", Text, nullable=False),
    Column("before", JSON(none_as_null=True)),
    Column("after", JSON(none_as_null=True)),
    Index(None, "site_id", "id"),
    sqlite_autoincrement=True,
)

PARTS = (zones, seats, meters, exchanges, acceptances, tenants, leases, lease_seats, lease_zones,
         bookings, bands)
"""What a site consists of, each table after those it refers to."""

api_keys = Table(
    "api_keys", metadata,
    Column("id", String(16), primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", String(10), nullable=False),
    # No foreign keys: a key outlives a re-declared site, and opens nothing where there is none.
    Column("site_id", String(40)),
    Column("tenant", String(40)),
    Column("secret_sha256", String(64), nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires_at_ms", BigInteger),
    Column("revoked_at_ms", BigInteger),
)

jobs = Table(
    "jobs", metadata,
    Column("name", String(40), primary_key=True),
    Column("holder", String(64)),
    Column("held_until_ms", BigInteger, nullable=False),
    Column("status", String(8), nullable=False),
    Column("started_at_ms", BigInteger),
    Column("finished_at_ms", BigInteger),
    Column("failures", Integer, nullable=False),
    Column("detail", Text, nullable=False),
    # How far the job came, in its own terms: the last interval done, by site.
    Column("progress", JSON, nullable=False),
)

answers = Table(
    "answers", metadata,
    Column("caller", String(16), primary_key=True),
    Column("idempotency_key", String(200), primary_key=True),
    Column("request_sha256", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("headers", JSON, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("given_at_ms", BigInteger, nullable=False),
    Index(None, "given_at_ms"),
)
