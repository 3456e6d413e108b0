"""An answer as it is shown, kept and judged: written by rag, quoted by the gateway, learnt from by trainer."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from opskit.contracts.reader import Message, Passage, TokenUsage


class Citation(Message):
    """A checked citation. `quote` is verbatim text of the document; `index` is the number shown as [n]."""

    index: int
    document: str
    title: str
    quote: str
    chunk_id: str
    score: float
    page: int | None = None


class AnswerScores(Message):
    """Cheap scores, 0 to 1, that rag gives every answer for which something was read. Of an abstention there is only
    the context to score."""

    context_relevance: float
    groundedness: float | None = None
    answer_relevance: float | None = None


class AnswerRecord(Message):
    """One answer with everything needed to judge it later."""

    answer_id: str
    tenant: str
    knowledge_base: str
    conversation_id: str
    release: str
    question: str
    answer: str
    abstained: bool
    outcome: Literal["answered", "abstained", "blocked", "error"]
    citations: list[Citation]
    passages: list[Passage]
    created_at: datetime
    confidence: float | None = None
    """The reader's own, 0 to 1: that the answer is right, or, when it abstained, that there is none. None where nothing
    was read."""
    timings: dict[str, float] = Field({})
    """Milliseconds. `understand`, `retrieve` and `read` follow one another; `first_token` and `total` count from the
    start. `created_at` is the end of them."""
    scores: AnswerScores | None = None
    usage: TokenUsage | None = None


class AnswerPage(Message):
    """Answers of all tenants in the order in which they were kept."""

    answers: list[AnswerRecord]
    next_cursor: str
    """Where to go on, now or later; also when there was nothing."""


class FeedbackSubmission(Message):
    """A vote with the answer it is about, as the gateway hands it to trainer."""

    answer: AnswerRecord
    rating: Literal["up", "down"]
    comment: str | None = None
    correction: str | None = None
