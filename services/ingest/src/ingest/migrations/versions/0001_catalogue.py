"""Catalogue, embedding cache and dead letters."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "documents",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("tenant", sa.String(63), nullable=False),
        sa.Column("knowledge_base", sa.String(63), nullable=False),
        sa.Column("key", sa.String(1024), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("title", sa.Text),
        sa.Column("etag", sa.String(128), nullable=False),
        sa.Column("sha256", sa.String(64)),
        sa.Column("indexed_etag", sa.String(128)),
        sa.Column("indexed_sha256", sa.String(64)),
        sa.Column("indexed_by", sa.String(128)),
        sa.Column("indexed_generation", sa.Integer),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("chunks", sa.Integer, nullable=False),
        sa.Column("in_index", sa.Boolean, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("lease_owner", sa.String(64)),
        sa.Column("lease_at", TIME),
        sa.Column("enqueued_at", TIME),
        sa.Column("not_before", TIME),
        sa.Column("wished_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.UniqueConstraint("tenant", "knowledge_base", "key"),
    )
    op.create_index("ix_documents_status", "documents", ["status"])
    op.create_table(
        "embeddings",
        sa.Column("fingerprint", sa.String(64), primary_key=True),
        sa.Column("digest", sa.LargeBinary(32), primary_key=True),
        sa.Column("vector", sa.LargeBinary, nullable=False),
        sa.Column("made_at", TIME, nullable=False),
    )
    op.create_table(
        "dead_letters",
        sa.Column("document_id", sa.String(32), primary_key=True),
        sa.Column("tenant", sa.String(63), nullable=False),
        sa.Column("knowledge_base", sa.String(63), nullable=False),
        sa.Column("key", sa.String(1024), nullable=False),
        sa.Column("etag", sa.String(128), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("failed_at", TIME, nullable=False),
    )
    op.create_index("ix_dead_letters_tenant", "dead_letters", ["tenant"])


def downgrade() -> None:
    op.drop_table("dead_letters")
    op.drop_table("embeddings")
    op.drop_table("documents")
