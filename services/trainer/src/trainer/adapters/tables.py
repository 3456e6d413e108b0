"""The tables of trainer. Change them by a migration."""

from datetime import datetime

from opskit.database import UtcTime
from sqlalchemy import Boolean, Float, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Base of the tables."""


class FeedbackRow(Base):
    """One vote with its whole answer, as the contract's JSON; beside it what it is looked up and counted by."""

    __tablename__ = "feedback"
    __table_args__ = (UniqueConstraint("tenant", "key_id", "answer_id"),)

    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    id: Mapped[str] = mapped_column(String(40), unique=True)
    tenant: Mapped[str] = mapped_column(String(63), index=True)
    key_id: Mapped[str] = mapped_column(String(128))
    answer_id: Mapped[str] = mapped_column(String(256))
    release: Mapped[str] = mapped_column(String(128), index=True)
    rating: Mapped[str] = mapped_column(String(4))
    comment: Mapped[str | None] = mapped_column(Text)
    correction: Mapped[str | None] = mapped_column(Text)
    answer: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_at: Mapped[datetime] = mapped_column(UtcTime, index=True)
    observed: Mapped[bool] = mapped_column(Boolean, default=False, index=True)
    """Whether this vote, as it is now, stands at its answer's trace."""


class ReleaseRow(Base):
    """One release: seen in feedback, or made by a run. `bundle` and `parts` are JSON."""

    __tablename__ = "releases"

    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    id: Mapped[str] = mapped_column(String(128), unique=True)
    first_seen: Mapped[datetime] = mapped_column(UtcTime)
    last_seen: Mapped[datetime] = mapped_column(UtcTime)
    state: Mapped[str] = mapped_column(String(16), default="seen")
    bundle: Mapped[str | None] = mapped_column(Text)
    run: Mapped[str | None] = mapped_column(String(64))
    share: Mapped[float] = mapped_column(Float, default=0.0)
    parts: Mapped[str | None] = mapped_column(Text)


class ReleaseChangeRow(Base):
    """One step in a release's life."""

    __tablename__ = "release_changes"

    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    release: Mapped[str] = mapped_column(String(128), index=True)
    at: Mapped[datetime] = mapped_column(UtcTime)
    before: Mapped[str] = mapped_column(String(16))
    after: Mapped[str] = mapped_column(String(16))
    who: Mapped[str] = mapped_column(String(128))
    why: Mapped[str] = mapped_column(Text)


class RunRow(Base):
    """One run; `order` and `verdict` are JSON."""

    __tablename__ = "runs"

    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    id: Mapped[str] = mapped_column(String(64), unique=True)
    order: Mapped[str] = mapped_column(Text)
    started_by: Mapped[str] = mapped_column(String(128))
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    last_sign: Mapped[datetime | None] = mapped_column(UtcTime)
    outcome: Mapped[str | None] = mapped_column(String(16), index=True)
    finished_at: Mapped[datetime | None] = mapped_column(UtcTime)
    says: Mapped[str] = mapped_column(Text, default="")
    release: Mapped[str | None] = mapped_column(String(128))
    verdict: Mapped[str | None] = mapped_column(Text)
    reported: Mapped[bool] = mapped_column(Boolean, default=False)
    carrier: Mapped[str] = mapped_column(String(16), default="worker")


class RunStageRow(Base):
    """One stage of a run, as its last attempt left it."""

    __tablename__ = "run_stages"

    run: Mapped[str] = mapped_column(String(64), primary_key=True)
    stage: Mapped[str] = mapped_column(String(40), primary_key=True)
    status: Mapped[str] = mapped_column(String(16))
    started_at: Mapped[datetime] = mapped_column(UtcTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcTime)
    attempts: Mapped[int] = mapped_column(Integer)
    says: Mapped[str] = mapped_column(Text, default="")


class ObservationRow(Base):
    """How far something was observed."""

    __tablename__ = "observations"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    cursor: Mapped[str] = mapped_column(Text)
    caught_up_at: Mapped[datetime] = mapped_column(UtcTime)


class AnswerTraceRow(Base):
    """The trace that an answer has."""

    __tablename__ = "answer_traces"

    answer_id: Mapped[str] = mapped_column(String(256), primary_key=True)
    trace_id: Mapped[str] = mapped_column(String(64))
    traced_at: Mapped[datetime] = mapped_column(UtcTime, index=True)


class JudgementRow(Base):
    """An answer that was chosen to be judged, and what the judge said. `answer` is the contract's JSON, kept until the
    scores stand at the trace; `reasons` are JSON."""

    __tablename__ = "judgements"

    answer_id: Mapped[str] = mapped_column(String(256), primary_key=True)
    release: Mapped[str] = mapped_column(String(128), index=True)
    state: Mapped[str] = mapped_column(String(16), index=True)
    answer: Mapped[str | None] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    due_at: Mapped[datetime] = mapped_column(UtcTime)
    context_relevance: Mapped[float | None] = mapped_column(Float)
    groundedness: Mapped[float | None] = mapped_column(Float)
    answer_relevance: Mapped[float | None] = mapped_column(Float)
    judge: Mapped[str | None] = mapped_column(String(256))
    reasons: Mapped[str | None] = mapped_column(Text)
    chosen_at: Mapped[datetime] = mapped_column(UtcTime, index=True)
    judged_at: Mapped[datetime | None] = mapped_column(UtcTime)
