"""What the API says on the wire."""

from datetime import datetime
from typing import Annotated, Literal

from opskit.contracts.answers import FeedbackSubmission
from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _storable(text: str) -> str:
    """SQL keeps text as UTF-8, and PostgreSQL keeps no NUL."""
    if "\0" in text or (not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text)):
        raise ValueError("has characters that are not text.")
    return text


Text = Annotated[str, AfterValidator(_storable)]


class FeedbackBody(FeedbackSubmission):
    """A vote with the answer it is about."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "answer": {
                    "answer_id": "ans_4f1c2b7d9a",
                    "tenant": "default",
                    "knowledge_base": "default",
                    "conversation_id": "conv_1",
                    "release": "rel_0123456789ab",
                    "question": "How long is the default interval?",
                    "answer": 'Two minutes. "The default interval is 120 seconds." [1]',
                    "abstained": False,
                    "outcome": "answered",
                    "citations": [],
                    "passages": [],
                    "created_at": "2026-11-20T12:00:00Z",
                },
                "rating": "down",
                "correction": "It is one minute.",
            }
        }
    )

    comment: Annotated[Text, Field(max_length=4_000)] | None = None
    correction: Annotated[Text, Field(max_length=20_000)] | None = None


class FeedbackReceipt(BaseModel):
    """The vote is kept."""

    feedback_id: str
    answer_id: str
    rating: Literal["up", "down"]
    replaced: bool = Field(description="Whether an earlier vote of the same key on this answer is gone.")
    created_at: datetime


class FeedbackShown(BaseModel):
    """A vote, and what it is about."""

    feedback_id: str
    answer_id: str
    release: str
    knowledge_base: str
    question: str
    answer: str
    abstained: bool
    rating: Literal["up", "down"]
    comment: str | None
    correction: str | None
    created_at: datetime
    updated_at: datetime


class FeedbackList(BaseModel):
    """Votes, newest first."""

    feedback: list[FeedbackShown]
    next_cursor: str | None = Field(description="Give it as `cursor` for the next page; null on the last one.")


class Votes(BaseModel):
    """Standing votes."""

    up: int
    down: int


class ReleaseShown(BaseModel):
    """A release that feedback spoke of. What serves now is rag's to say (`nexus_release_serving`)."""

    id: str
    first_seen: datetime
    last_seen: datetime
    votes: Votes


class ReleaseList(BaseModel):
    """Releases, the latest seen for the first time first."""

    releases: list[ReleaseShown]
    next_cursor: str | None = None


class RunList(BaseModel):
    """Runs, newest first."""

    runs: list[dict[str, object]]
    next_cursor: str | None = None


class RollbackBody(BaseModel):
    """Where to roll back to."""

    release: str | None = Field(None, max_length=128)


class ErrorDetail(BaseModel):
    """What went wrong, for the person who caused it."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class ErrorBody(BaseModel):
    """Every error looks like this."""

    error: ErrorDetail
