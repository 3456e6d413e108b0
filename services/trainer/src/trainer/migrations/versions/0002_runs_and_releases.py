"""Runs of the pipeline with their stages; what becomes of releases, and the audit of it."""

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
        sa.Column("order", sa.Text, nullable=False),
        sa.Column("started_by", sa.String(128), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("last_sign", TIME),
        sa.Column("outcome", sa.String(16), index=True),
        sa.Column("finished_at", TIME),
        sa.Column("says", sa.Text, nullable=False),
        sa.Column("release", sa.String(128)),
        sa.Column("verdict", sa.Text),
        sa.Column("reported", sa.Boolean, nullable=False),
    )
    op.create_table(
        "run_stages",
        sa.Column("run", sa.String(64), primary_key=True),
        sa.Column("stage", sa.String(40), primary_key=True),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("finished_at", TIME),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("says", sa.Text, nullable=False),
    )
    op.create_table(
        "release_changes",
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("release", sa.String(128), nullable=False, index=True),
        sa.Column("at", TIME, nullable=False),
        sa.Column("before", sa.String(16), nullable=False),
        sa.Column("after", sa.String(16), nullable=False),
        sa.Column("who", sa.String(128), nullable=False),
        sa.Column("why", sa.Text, nullable=False),
    )
    op.add_column("releases", sa.Column("state", sa.String(16), nullable=False, server_default="seen"))
    op.add_column("releases", sa.Column("bundle", sa.Text))
    op.add_column("releases", sa.Column("run", sa.String(64)))
    op.add_column("releases", sa.Column("share", sa.Float, nullable=False, server_default="0"))
    op.add_column("releases", sa.Column("parts", sa.Text))


def downgrade() -> None:
    for column in ("parts", "share", "run", "bundle", "state"):
        op.drop_column("releases", column)
    op.drop_table("release_changes")
    op.drop_table("run_stages")
    op.drop_table("runs")
