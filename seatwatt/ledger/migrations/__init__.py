"""Alembic's folder: `versions/` holds one file a step, in one line without branches."""
