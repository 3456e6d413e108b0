"""Feedback, and the releases it spoke of."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "feedback",
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("id", sa.String(40), nullable=False, unique=True),
        sa.Column("tenant", sa.String(63), nullable=False, index=True),
        sa.Column("key_id", sa.String(128), nullable=False),
        sa.Column("answer_id", sa.String(256), nullable=False),
        sa.Column("release", sa.String(128), nullable=False, index=True),
        sa.Column("rating", sa.String(4), nullable=False),
        sa.Column("comment", sa.Text),
        sa.Column("correction", sa.Text),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False, index=True),
        sa.UniqueConstraint("tenant", "key_id", "answer_id"),
    )
    op.create_table(
        "releases",
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("id", sa.String(128), nullable=False, unique=True),
        sa.Column("first_seen", TIME, nullable=False),
        sa.Column("last_seen", TIME, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("releases")
    op.drop_table("feedback")
