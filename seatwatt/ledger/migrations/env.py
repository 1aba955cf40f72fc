"""What Alembic runs to migrate: the connection and its transaction are given by `open.migrate`."""

from alembic import context

from seatwatt.ledger.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
