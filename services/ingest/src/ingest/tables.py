"""The tables of ingest: catalogue, embedding cache, dead letters."""

from datetime import datetime
from typing import Final

from opskit.database import UtcTime
from sqlalchemy import Index, Integer, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

QUEUED: Final = "queued"
INDEXING: Final = "indexing"
INDEXED: Final = "indexed"
FAILED: Final = "failed"
DELETED: Final = "deleted"
STATUSES: Final = (QUEUED, INDEXING, INDEXED, FAILED, DELETED)


class Base(DeclarativeBase):
    """Base of the tables."""


class Document(Base):
    """One document: what is wished, what is indexed, and who is at work on it."""

    __tablename__ = "documents"
    __table_args__ = (
        UniqueConstraint("tenant", "knowledge_base", "key"),
        Index("ix_documents_status", "status"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    tenant: Mapped[str] = mapped_column(String(63))
    knowledge_base: Mapped[str] = mapped_column(String(63))
    key: Mapped[str] = mapped_column(String(1024))

    revision: Mapped[int] = mapped_column(Integer)
    """Grows with every wish; work done for an older one does not count as done."""
    status: Mapped[str] = mapped_column(String(16))
    error: Mapped[str | None] = mapped_column(Text)
    title: Mapped[str | None] = mapped_column(Text)
    etag: Mapped[str] = mapped_column(String(128))
    """The store's word for the wished version."""
    sha256: Mapped[str | None] = mapped_column(String(64))
    """Of the wished bytes, when they are known."""

    indexed_etag: Mapped[str | None] = mapped_column(String(128))
    indexed_sha256: Mapped[str | None] = mapped_column(String(64))
    indexed_by: Mapped[str | None] = mapped_column(String(128))
    """Embedder and rules of splitting the indexed chunks were made with."""
    indexed_generation: Mapped[int | None] = mapped_column(Integer)
    generation: Mapped[int] = mapped_column(Integer)
    """The last one handed out; grows with every attempt to index."""
    chunks: Mapped[int] = mapped_column(Integer)
    in_index: Mapped[bool] = mapped_column()
    """The index may hold chunks of this document: from the first attempt until a removal that succeeded."""

    attempts: Mapped[int] = mapped_column(Integer)
    lease_owner: Mapped[str | None] = mapped_column(String(64))
    lease_at: Mapped[datetime | None] = mapped_column(UtcTime)
    enqueued_at: Mapped[datetime | None] = mapped_column(UtcTime)
    not_before: Mapped[datetime | None] = mapped_column(UtcTime)
    wished_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)


class Embedding(Base):
    """A vector made once: texts that did not change are never embedded again."""

    __tablename__ = "embeddings"

    fingerprint: Mapped[str] = mapped_column(String(64), primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    """SHA-256 of the embedded text."""
    vector: Mapped[bytes] = mapped_column(LargeBinary)
    """Little-endian 32-bit floats."""
    made_at: Mapped[datetime] = mapped_column(UtcTime)


class DeadLetter(Base):
    """A document that was given up, with the reason. At most one for each document."""

    __tablename__ = "dead_letters"

    document_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    tenant: Mapped[str] = mapped_column(String(63))
    knowledge_base: Mapped[str] = mapped_column(String(63))
    key: Mapped[str] = mapped_column(String(1024))
    etag: Mapped[str] = mapped_column(String(128))
    reason: Mapped[str] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(Integer)
    failed_at: Mapped[datetime] = mapped_column(UtcTime)
