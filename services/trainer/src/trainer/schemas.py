"""What the API says on the wire."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, cast

from opskit.contracts.answers import FeedbackSubmission
from opskit.contracts.runs import Kind, Outcome
from opskit.identity import NAME_PATTERN
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue

from trainer.feedback import SeenRelease
from trainer.improvement.releases import Change, Release, State
from trainer.improvement.runs import Run, Status, next_stage
from trainer.improvement.stages import Stage


def _storable(text: str) -> str:
    """SQL keeps text as UTF-8, and PostgreSQL keeps no NUL."""
    if "\0" in text or (not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text)):
        raise ValueError("has characters that are not text.")
    return text


def _storable_json(value: Any) -> Any:
    """Its texts are kept like any other, and JSON knows neither NaN nor infinity."""
    for text in _texts(value):
        _storable(text)
    json.dumps(value, allow_nan=False)
    return value


def _texts(value: Any) -> Iterator[str]:
    """Every name and text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in (*value, *value.values()) if isinstance(value, dict) else value:
            yield from _texts(part)


Text = Annotated[str, AfterValidator(_storable)]
Changes = Annotated[
    dict[Literal["prompt", "retrieval"], dict[str, JsonValue]],
    Field(min_length=1, description="What to change of the champion's settings: names and values, as in release.yaml."),
    AfterValidator(_storable_json),
]


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


class ChangeShown(BaseModel):
    """One step in a release's life."""

    at: datetime
    before: State
    after: State
    who: str
    why: str


class ReleaseShown(BaseModel):
    """What answers, is tried, or once answered."""

    id: str
    state: State
    alias: Literal["champion", "challenger"] | None
    share: float = Field(description="Of the conversations, while it is the challenger.")
    run: str | None = Field(description="The run that made it.")
    reader: str | None = Field(description="Digest of the reader's weights.")
    first_seen: datetime
    last_seen: datetime
    votes: Votes
    parts: dict[str, Any] | None = Field(None, description="What it is made of, by digest, with the gate's verdict.")
    settings: dict[str, Any] | None = Field(None, description="Prompt and retrieval settings.")
    history: list[ChangeShown] = Field([], description="Who did what with it, and why, the oldest first.")

    @classmethod
    def of(cls, seen: SeenRelease, release: Release, alias: str | None) -> "ReleaseShown":
        """The release in a list."""
        return cls(
            id=release.id,
            state=release.state,
            alias=cast("Literal['champion', 'challenger'] | None", alias),
            share=release.share,
            run=release.run,
            reader=release.bundle.reader_digest if release.bundle else None,
            settings=release.bundle.settings if release.bundle else None,
            first_seen=seen.first_seen,
            last_seen=seen.last_seen,
            votes=Votes(up=seen.up, down=seen.down),
        )

    def with_details(self, parts: dict[str, Any] | None, changes: Sequence[Change]) -> "ReleaseShown":
        """The release by itself."""
        history = [
            ChangeShown(at=one.at, before=one.before, after=one.after, who=one.who, why=one.why) for one in changes
        ]
        return self.model_copy(update={"parts": parts, "history": history})


class ReleaseList(BaseModel):
    """Releases, the latest seen for the first time first."""

    releases: list[ReleaseShown]
    next_cursor: str | None = None


class StageShown(BaseModel):
    """One stage of a run."""

    stage: Stage
    status: Status
    started_at: datetime
    finished_at: datetime | None
    seconds: float | None
    attempts: int
    says: str


class RunShown(BaseModel):
    """One run of the improvement pipeline."""

    id: str
    kind: Kind
    status: Status
    outcome: Outcome | None
    stage: Stage | None = Field(description="What is done now, or comes next; null once it has ended.")
    target: str
    incident: str | None
    alertname: str | None
    reason: str
    knowledge_base: str | None
    settings: dict[str, dict[str, Any]] | None = Field(description="What is to change of them, where no weights do.")
    started_by: str
    created_at: datetime
    finished_at: datetime | None
    says: str = Field(description="How it ended, in a line.")
    release: str | None = Field(description="The release it made.")
    stages: list[StageShown]
    verdict: dict[str, Any] | None = Field(None, description="What the gate decided, with every figure.")

    @classmethod
    def of(cls, run: Run, verdict: dict[str, Any] | None = None) -> "RunShown":
        """The run as it is shown."""
        stages = [
            StageShown(
                stage=one.stage,
                status=one.status,
                started_at=one.started_at,
                finished_at=one.finished_at,
                seconds=one.seconds,
                attempts=one.attempts,
                says=one.says,
            )
            for one in run.stages
        ]
        order = run.order
        return cls(
            id=run.id,
            kind=run.kind,
            status=run.status,
            outcome=run.outcome,
            stage=next_stage(run),
            target=order.target,
            incident=order.incident,
            alertname=order.alertname,
            reason=order.reason,
            knowledge_base=order.knowledge_base,
            settings=order.settings,
            started_by=run.started_by,
            created_at=run.created_at,
            finished_at=run.finished_at,
            says=run.says,
            release=run.release,
            stages=stages,
            verdict=verdict,
        )


class RunList(BaseModel):
    """Runs, newest first."""

    runs: list[RunShown]
    next_cursor: str | None = None


class RunBody(BaseModel):
    """A run to be started."""

    reason: Annotated[Text, Field(max_length=500)] | None = None
    knowledge_base: Annotated[str, Field(pattern=NAME_PATTERN)] | None = None


class ProposalBody(BaseModel):
    """A release that differs from the champion in its settings alone."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"settings": {"retrieval": {"passages": 6}}, "reason": "shorter to read"}}
    )

    settings: Changes
    reason: Annotated[Text, Field(max_length=500)] | None = None
    knowledge_base: Annotated[str, Field(pattern=NAME_PATTERN)] | None = Field(
        None, description="Measure on votes on this one alone."
    )


class PromoteBody(BaseModel):
    """Why a release is promoted."""

    reason: Annotated[Text, Field(max_length=500)] | None = None


class RollbackBody(BaseModel):
    """Where to roll back to, and why."""

    release: str | None = Field(None, max_length=128)
    reason: Annotated[Text, Field(max_length=500)] | None = None


class ErrorDetail(BaseModel):
    """What went wrong, for the person who caused it."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class ErrorBody(BaseModel):
    """Every error looks like this."""

    error: ErrorDetail
