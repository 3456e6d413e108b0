"""Documents and knowledge bases, as they are shown."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from gateway.schemas.base import Shown

DocumentStatus = Literal["queued", "indexing", "indexed", "failed", "deleted"]


class DocumentAccepted(Shown):
    """The wish is recorded; indexing goes on in the background."""

    document: str = Field(examples=["handbook/holidays.md"])
    etag: str | None = None
    status: DocumentStatus


class DocumentShown(DocumentAccepted):
    """Where a document stands."""

    chunks: int
    error: str | None = Field(None, description="Why it could not be indexed, in words a person understands.")
    updated_at: datetime


class DocumentPage(Shown):
    """A page of documents in the order of their keys."""

    documents: list[DocumentShown]
    next_cursor: str | None = Field(None, description="Pass it as `cursor` to get the next page.")


class KnowledgeBaseShown(Shown):
    """A set of documents that is asked together."""

    name: str = Field(examples=["default"])
    documents: int
    chunks: int


class KnowledgeBases(Shown):
    """The knowledge bases of your tenant."""

    knowledge_bases: list[KnowledgeBaseShown]


class DeadLetter(Shown):
    """A document that failed three times."""

    id: str
    document: str
    knowledge_base: str
    reason: str


class DeadLetters(Shown):
    """What failed three times and waits for somebody to look."""

    dead_letters: list[DeadLetter]
