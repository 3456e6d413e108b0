"""What the gateway says, as values. Fields a newer gateway adds are passed over; missing ones have a quiet default."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Rating = Literal["up", "down"]
Text = Annotated[str, BeforeValidator(lambda value: "" if value is None else str(value))]


class Shown(BaseModel):
    """Base of everything the gateway returns."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Citation(Shown):
    """A checked citation: `quote` is verbatim text of the document, `index` the number shown as [n]."""

    index: int
    document: str
    title: Text = ""
    quote: str
    chunk_id: Text = ""
    page: int | None = None


class Hit(Shown):
    """A passage found by a bare search."""

    document: str
    chunk_id: Text = ""
    text: str
    page: int | None = None


class Document(Shown):
    """Where a document stands."""

    document: str
    status: str
    chunks: int = 0
    error: str | None = None
    updated_at: datetime | None = None

    @property
    def settled(self) -> bool:
        """Whether indexing has come to an end, good or bad."""
        return self.status not in ("queued", "indexing")


class DocumentPage(Shown):
    """A page of documents in the order of their keys."""

    documents: list[Document]
    next_cursor: str | None = None


class KnowledgeBase(Shown):
    """A set of documents that is asked together."""

    name: str
    documents: int = 0


class ServiceState(Shown):
    """What a service says: for each thing it needs "ok", or why it cannot be used."""

    status: str
    checks: Mapping[str, str] = {}


class StackState(Shown):
    """The worst of the services, and each of them."""

    status: str
    services: Mapping[str, ServiceState] = {}


class DeadLetter(Shown):
    """A document that failed three times."""

    id: Text
    document: str
    knowledge_base: Text = "default"
    reason: Text = ""


@dataclass(frozen=True)
class Content:
    """A document's bytes and what they are."""

    data: bytes
    media_type: str


@dataclass(frozen=True)
class Delta:
    """The next piece of the answer's wording."""

    text: str


@dataclass(frozen=True)
class Waiting:
    """Nothing new yet. Comes several times a second, so that whoever listens can look up and stop."""


@dataclass(frozen=True)
class Finished:
    """The end of an answer, with what came beside its wording."""

    answer_id: str
    citations: tuple[Citation, ...] = ()
    abstained: bool = False
    release: str = ""
    conversation_id: str | None = None
    timings: Mapping[str, Any] = field(default_factory=dict)


AnswerEvent = Delta | Waiting | Finished


class StreamEnd(Shown):
    """The fields that come beside the last chunk of a stream."""

    release: Text = ""
    abstained: bool = False
    conversation_id: str | None = None
    timings: Mapping[str, Any] = Field(default_factory=dict)
