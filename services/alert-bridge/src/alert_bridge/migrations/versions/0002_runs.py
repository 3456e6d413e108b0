"""Runs, and the switch for automatic ones."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "runs",
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("id", sa.String(64), nullable=False, unique=True),
        sa.Column("target", sa.String(63), nullable=False, index=True),
        sa.Column("incident", sa.Text),
        sa.Column("order", sa.JSON),
        sa.Column("started_at", TIME),
        sa.Column("ordered_at", TIME),
        sa.Column("finished_at", TIME),
        sa.Column("outcome", sa.String(16)),
        sa.Column("message", sa.Text, nullable=False),
    )
    op.create_table(
        "automation",
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("paused", sa.Boolean, nullable=False),
        sa.Column("by", sa.String(128)),
        sa.Column("reason", sa.Text),
        sa.Column("changed_at", TIME),
    )


def downgrade() -> None:
    op.drop_table("automation")
    op.drop_table("runs")
