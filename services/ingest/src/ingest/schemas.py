"""What the API says on the wire."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Status = Literal["queued", "indexing", "indexed", "failed", "deleted"]


class DocumentStatus(BaseModel):
    """A document and how far it is. While a new version is queued, the old one stays searchable."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "document": "handbook/support.md",
                "knowledge_base": "default",
                "etag": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                "status": "indexed",
                "chunks": 12,
                "error": None,
                "title": "Support",
                "updated_at": "2026-11-20T12:00:00Z",
            }
        }
    )

    document: str = Field(description="The document's key.")
    knowledge_base: str
    etag: str = Field(description="Names the version in the store.")
    status: Status
    chunks: int = Field(description="Searchable chunks, of this version or of the one before while this one waits.")
    error: str | None = Field(description="Why it failed, or what it waits for.")
    title: str | None = None
    updated_at: datetime


class DocumentList(BaseModel):
    """A page of documents, ordered by key."""

    documents: list[DocumentStatus]
    total: int = Field(description="How many there are on all pages.")
    next_cursor: str | None = Field(description="Give it as `cursor` for the next page; null on the last one.")


class KnowledgeBaseStatus(BaseModel):
    """A knowledge base in numbers."""

    name: str
    documents: int
    chunks: int


class KnowledgeBaseList(BaseModel):
    """The tenant's knowledge bases; `default` is always there."""

    knowledge_bases: list[KnowledgeBaseStatus]


class DeadLetterStatus(BaseModel):
    """A document that was given up."""

    id: str
    document: str
    knowledge_base: str
    etag: str
    reason: str
    attempts: int
    failed_at: datetime


class DeadLetterList(BaseModel):
    """Dead letters, the latest first."""

    dead_letters: list[DeadLetterStatus]


class EventReceipt(BaseModel):
    """What became of a notification."""

    noticed: int = Field(description="Documents the notification spoke of.")
    changed: int = Field(description="Those that really had changed.")


class ErrorDetail(BaseModel):
    """What went wrong, for the person who caused it."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class ErrorBody(BaseModel):
    """Every error looks like this."""

    error: ErrorDetail


class Cursor(BaseModel):
    """Where the next page begins; opaque outside."""

    after: str
