"""What the supplier has agreed to deliver to a site."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("sites", sa.Column("sanctioned_load_w", sa.Float))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("sites", "sanctioned_load_w")
