"""The tables of money: bills and price lists, operators' readings, runs and their statements; and
of the days of registers that are kept for them.

What is issued is immutable; the migration that makes these tables has the database refuse it.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from seatwatt.ledger.tables import COUNTER, metadata

papers = Table(
    "papers", metadata,
    # No foreign keys in this file: what was billed outlives what is declared.
    Column("site_id", String(40), primary_key=True),
    Column("kind", String(10), primary_key=True),
    Column("name", String(40), primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    # Local dates as ISO 8601, which sort as they stand.
    Column("from_", String(10)),
    Column("to", String(10)),
    Column("document", JSON, nullable=False),
    Column("withdrawn", Boolean, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
)

readings_by_hand = Table(
    "readings_by_hand", metadata,
    Column("id", COUNTER, primary_key=True, autoincrement=True),
    Column("site_id", String(40), nullable=False),
    Column("device", String(128), nullable=False),
    Column("quantity", String(40), nullable=False),
    Column("taken_at_ms", BigInteger, nullable=False),
    # Text, so that what is billed is what was written.
    Column("register_wh", String(32), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Index(None, "site_id", "id"),
    sqlite_autoincrement=True,
)

runs = Table(
    "runs", metadata,
    Column("id", COUNTER, primary_key=True, autoincrement=True),
    Column("site_id", String(40), nullable=False),
    Column("from_", String(10), nullable=False),
    Column("to", String(10), nullable=False),
    Column("state", String(10), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("inputs", LargeBinary, nullable=False),
    # Apart from the inputs, for it is about people and is forgotten after some days.
    Column("occupancy", LargeBinary),
    Column("digest", String(64), nullable=False),
    Column("document", Text, nullable=False),
    Column("drafted_at_ms", BigInteger, nullable=False),
    Column("drafted_by", Text, nullable=False),
    Column("approved_at_ms", BigInteger),
    Column("approved_by", Text),
    Column("issued_at_ms", BigInteger),
    Column("issued_by", Text),
    UniqueConstraint("site_id", "from_", "to"),
    sqlite_autoincrement=True,
)

statements = Table(
    "statements", metadata,
    Column("run_id", COUNTER, ForeignKey("runs.id"), primary_key=True, autoincrement=False),
    Column("party", String(40), primary_key=True),
    Column("site_id", String(40), nullable=False),
    Column("serial", Integer),
    Column("document", Text, nullable=False),
    Index(None, "site_id", "party"),
    UniqueConstraint("site_id", "serial"),
)

reviews = Table(
    "reviews", metadata,
    Column("run_id", COUNTER, ForeignKey("runs.id"), primary_key=True, autoincrement=False),
    Column("inputs", String(64), nullable=False),
    # [currency, line, party, minor units], as the run of today's inputs would put them.
    Column("entries", JSON, nullable=False),
)

kept_days = Table(
    "kept_days", metadata,
    # No foreign key: what is kept of a site that went is of no use, and harms nobody.
    Column("site_id", String(40), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("rules", String(64), nullable=False),
    Column("mark", String(64), nullable=False),
    Column("content", String(64), nullable=False),
    Column("checked_at_ms", BigInteger, nullable=False),
    Column("registers", LargeBinary, nullable=False),
)
