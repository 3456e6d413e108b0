"""Observing answers: how far it came, their traces, the judge's scores, and which votes were seen."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "observations",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("cursor", sa.Text, nullable=False),
        sa.Column("caught_up_at", TIME, nullable=False),
    )
    op.create_table(
        "answer_traces",
        sa.Column("answer_id", sa.String(256), primary_key=True),
        sa.Column("trace_id", sa.String(64), nullable=False),
        sa.Column("traced_at", TIME, nullable=False, index=True),
    )
    op.create_table(
        "judgements",
        sa.Column("answer_id", sa.String(256), primary_key=True),
        sa.Column("release", sa.String(128), nullable=False, index=True),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("answer", sa.Text),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("context_relevance", sa.Float),
        sa.Column("groundedness", sa.Float),
        sa.Column("answer_relevance", sa.Float),
        sa.Column("judge", sa.String(256)),
        sa.Column("reasons", sa.Text),
        sa.Column("chosen_at", TIME, nullable=False, index=True),
        sa.Column("judged_at", TIME),
    )
    op.add_column("feedback", sa.Column("observed", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_index("ix_feedback_observed", "feedback", ["observed"])


def downgrade() -> None:
    op.drop_index("ix_feedback_observed", "feedback")
    op.drop_column("feedback", "observed")
    for table in ("judgements", "answer_traces", "observations"):
        op.drop_table(table)
