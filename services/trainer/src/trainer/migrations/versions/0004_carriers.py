"""Who carries a run out: the worker, or a workflow."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("runs", sa.Column("carrier", sa.String(16), nullable=False, server_default="worker"))


def downgrade() -> None:
    op.drop_column("runs", "carrier")
