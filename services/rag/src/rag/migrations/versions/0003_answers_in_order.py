"""Answers are numbered in the order in which they were kept.

The table is made anew, because SQLite promises to give a number only once to primary keys alone.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

COLUMNS = "id, tenant, created_at, record"


def upgrade() -> None:
    op.create_table(
        "answers_in_order",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("id", sa.String(64), nullable=False, unique=True),
        sa.Column("tenant", sa.String(63), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("record", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    _replace_by("answers_in_order")


def downgrade() -> None:
    op.create_table(
        "answers_by_id",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("tenant", sa.String(63), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("record", sa.Text, nullable=False),
    )
    _replace_by("answers_by_id")


def _replace_by(table: str) -> None:
    op.execute(f"INSERT INTO {table} ({COLUMNS}) SELECT {COLUMNS} FROM answers ORDER BY created_at, id")
    op.drop_table("answers")
    op.rename_table(table, "answers")
    op.create_index("ix_answers_created_at", "answers", ["created_at"])
