"""What Alembic runs to migrate: the connection and its transaction are given by `open.migrate`."""

from alembic import context

from seatwatt.ledger import run_tables

context.configure(connection=context.config.attributes["connection"],
                  target_metadata=run_tables.runs.metadata)
context.run_migrations()
