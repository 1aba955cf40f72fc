"""Tables of people who log in: who they are, their sessions, and what they did.

The last of the modules of tables: whoever imports this one has all of them in its metadata.
"""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, String, Table, Text

from seatwatt.ledger.run_tables import runs
from seatwatt.ledger.tables import COUNTER

metadata = runs.metadata

users = Table(
    "users", metadata,
    Column("id", String(16), primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("role", String(10), nullable=False),
    # No foreign keys: a user outlives a re-declared site, and sees nothing where there is none.
    Column("site_id", String(40)),
    Column("tenant", String(40)),
    Column("password_hash", Text, nullable=False),
    Column("must_change", Boolean, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("disabled_at_ms", BigInteger),
)

sessions = Table(
    "sessions", metadata,
    # Never the token: whoever reads the ledger or a backup of it cannot use a session.
    Column("token_sha256", String(64), primary_key=True),
    Column("user_id", String(16), ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("started_at_ms", BigInteger, nullable=False),
    Column("seen_at_ms", BigInteger, nullable=False),
    Column("ends_at_ms", BigInteger, nullable=False),
    Index(None, "user_id"),
)

deeds = Table(
    "deeds", metadata,
    Column("id", COUNTER, primary_key=True, autoincrement=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("action", String(40), nullable=False),
    Column("subject", Text, nullable=False),
    Column("site_id", String(40)),
    Column("detail", Text, nullable=False),
    Index(None, "site_id", "id"),
    sqlite_autoincrement=True,
)
