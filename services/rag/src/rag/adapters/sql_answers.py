"""Answers in SQL."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

from opskit.contracts.answers import AnswerRecord
from opskit.database import DATABASE_AWAY
from opskit.errors import Unavailable
from sqlalchemy import BigInteger, DateTime, Engine, Integer, String, Text, delete, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from rag.ports import KeptAnswers

Result = TypeVar("Result")

_IN_TURN = 0x616E7377
"""The PostgreSQL lock of whoever keeps an answer: its bytes read "answ"."""


class Base(DeclarativeBase):
    """Base of the tables."""


class Answer(Base):
    """One answer, whole, as its contract's JSON; beside it what it is looked up and swept by."""

    __tablename__ = "answers"
    # A number is never given twice, not even when all answers were swept: a cursor may still name it.
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 - SQLAlchemy wants it so

    seq: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    id: Mapped[str] = mapped_column(String(64), unique=True)
    tenant: Mapped[str] = mapped_column(String(63))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
    record: Mapped[str] = mapped_column(Text)


class SqlAnswers:
    """Keeps answers. SQL runs in threads of its own: one writes, so that writers never wait for SQLite's lock."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writing = ThreadPoolExecutor(1, thread_name_prefix="answers-write")
        self._reading = ThreadPoolExecutor(2, thread_name_prefix="answers-read")

    async def save(self, record: AnswerRecord) -> None:
        """Committed when this returns."""
        await self._run(self._writing, partial(self._save, record))

    async def get(self, tenant: str, answer_id: str) -> AnswerRecord | None:
        """The answer, when it is the tenant's."""
        return await self._run(self._reading, partial(self._get, tenant, answer_id))

    async def kept_after(self, cursor: int, *, limit: int) -> KeptAnswers:
        """Some answers of all tenants in the order in which they were committed."""
        return await self._run(self._reading, partial(self._kept_after, cursor, limit))

    async def sweep(self, keep: timedelta) -> None:
        """Forget answers older than that."""
        await self._run(self._writing, partial(self._sweep, datetime.now(UTC) - keep))

    async def check(self) -> None:
        """Return when the database answers."""
        await self._run(self._reading, lambda: self._get("", ""))

    def close(self) -> None:
        """Finish writing and close the database."""
        self._writing.shutdown()
        self._reading.shutdown()
        self._engine.dispose()

    async def _run(self, pool: ThreadPoolExecutor, work: Callable[[], Result]) -> Result:
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, work)
        except DATABASE_AWAY as exc:
            raise Unavailable("The database of answers cannot be used.") from exc

    def _save(self, record: AnswerRecord) -> None:
        row = Answer(
            id=record.answer_id,
            tenant=record.tenant,
            created_at=record.created_at,
            record=record.model_dump_json(),
        )
        with Session(self._engine) as session, session.begin():
            if self._engine.dialect.name == "postgresql":
                # Several processes may write, and a number that is committed late would be passed over by a reader who
                # has seen the next. SQLite has one writer at a time anyway.
                session.execute(select(func.pg_advisory_xact_lock(_IN_TURN)))
            session.add(row)

    def _get(self, tenant: str, answer_id: str) -> AnswerRecord | None:
        wanted = select(Answer.record).where(Answer.id == answer_id, Answer.tenant == tenant)
        with Session(self._engine) as session:
            kept = session.scalar(wanted)
        return None if kept is None else AnswerRecord.model_validate_json(kept)

    def _kept_after(self, cursor: int, limit: int) -> KeptAnswers:
        with Session(self._engine) as session:
            newest = session.scalar(select(func.max(Answer.seq)))
            if newest is not None and newest < cursor:
                cursor = 0  # it was made over another database: this one was begun anew, or put back
            query = select(Answer.seq, Answer.record).where(Answer.seq > cursor).order_by(Answer.seq).limit(limit)
            rows = session.execute(query).all()
        return KeptAnswers([record for _, record in rows], rows[-1][0] if rows else cursor)

    def _sweep(self, before: datetime) -> None:
        with Session(self._engine) as session, session.begin():
            session.execute(delete(Answer).where(Answer.created_at < before))
