"""Feedback in SQL: SQLite beside the embedded stack, PostgreSQL elsewhere."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, cast

from opskit.contracts.answers import AnswerRecord
from opskit.database import DATABASE_AWAY
from opskit.errors import Unavailable
from sqlalchemy import CursorResult, Engine, Select, case, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from trainer.adapters.tables import FeedbackRow, ReleaseRow
from trainer.feedback import KeptVote, Page, Rating, Receipt, SeenRelease, Vote

_AT_ONCE = 500


class SqlFeedback:
    """Satisfies `FeedbackStore`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._insert: Any = sqlite_insert if engine.dialect.name == "sqlite" else postgresql_insert

    def keep(self, vote: Vote, *, now: datetime) -> Receipt:
        """Keep the vote. Two at once are put in order by the database, not by this process."""
        values = _values(vote, now)
        insert = self._insert(FeedbackRow).values(values)
        # On a conflict nothing changes yet, but the row is locked and comes back with the rating it has.
        locked = insert.on_conflict_do_update(
            index_elements=["tenant", "key_id", "answer_id"], set_={"key_id": insert.excluded.key_id}
        ).returning(FeedbackRow)
        with self._session() as session:
            row: FeedbackRow = session.scalars(locked).one()
            before = None if row.id == values["id"] else cast(Rating, row.rating)
            if before is not None:
                for name, value in values.items():
                    if name not in ("id", "created_at"):
                        setattr(row, name, value)
            self._see(session, vote.answer.release, now)
            return Receipt(kept_vote(row), before)

    def _see(self, session: Session, release: str, now: datetime) -> None:
        insert = self._insert(ReleaseRow).values(id=release, first_seen=now, last_seen=now)
        session.execute(insert.on_conflict_do_update(index_elements=["id"], set_={"last_seen": now}))

    def votes(self, tenant: str, *, limit: int, before: int | None) -> Page[KeptVote]:
        """A page of the tenant's votes."""
        query = select(FeedbackRow).where(FeedbackRow.tenant == tenant).order_by(FeedbackRow.seq.desc())
        if before is not None:
            query = query.where(FeedbackRow.seq < before)
        with self._session() as session:
            rows = list(session.scalars(query.limit(limit + 1)))
            return Page([kept_vote(row) for row in rows[:limit]], rows[limit - 1].seq if len(rows) > limit else None)

    def every(self, *, knowledge_base: str | None = None) -> Iterator[KeptVote]:
        """All votes of all tenants, the oldest first."""
        seq = 0
        while True:
            with self._session() as session:
                query = select(FeedbackRow).where(FeedbackRow.seq > seq).order_by(FeedbackRow.seq).limit(_AT_ONCE)
                votes = [(row.seq, kept_vote(row)) for row in session.scalars(query)]
            if not votes:
                return
            seq = votes[-1][0]
            yield from (one for _, one in votes if knowledge_base in (None, one.vote.answer.knowledge_base))

    def recent(self, *, since: datetime, of_a_voter: int) -> dict[tuple[str, str], int]:
        """Votes given since then by release and rating, of which those of one voter count at most so many times."""
        names = (FeedbackRow.release, FeedbackRow.rating, FeedbackRow.tenant, FeedbackRow.key_id)
        query = select(*names, func.count()).where(FeedbackRow.updated_at >= since).group_by(*names)
        counted: dict[tuple[str, str], int] = {}
        with self._session() as session:
            for release, rating, _, _, count in session.execute(query):
                counted[release, rating] = counted.get((release, rating), 0) + min(count, of_a_voter)
        return counted

    def releases(self, *, limit: int, before: int | None) -> Page[SeenRelease]:
        """A page of the releases that feedback spoke of."""
        query = _seen_releases().order_by(ReleaseRow.seq.desc())
        if before is not None:
            query = query.where(ReleaseRow.seq < before)
        with self._session() as session:
            rows = session.execute(query.limit(limit + 1)).all()
            more = len(rows) > limit
            return Page([_seen(*row) for row in rows[:limit]], rows[limit - 1][0].seq if more else None)

    def release(self, release_id: str) -> SeenRelease | None:
        """One of them."""
        with self._session() as session:
            row = session.execute(_seen_releases().where(ReleaseRow.id == release_id)).one_or_none()
            return _seen(*row) if row is not None else None

    def release_ids(self) -> list[str]:
        """All of them, by id."""
        with self._session() as session:
            return list(session.scalars(select(ReleaseRow.id).order_by(ReleaseRow.id)))

    def expire(self, *, before: datetime) -> int:
        """Forget votes last given before then."""
        with self._session() as session:
            done = session.execute(delete(FeedbackRow).where(FeedbackRow.updated_at < before))
            return cast(CursorResult[Any], done).rowcount

    def check(self) -> None:
        """Return when the database answers."""
        with self._session() as session:
            session.execute(text("SELECT 1"))

    @contextmanager
    def _session(self) -> Iterator[Session]:
        try:
            with Session(self._engine) as session, session.begin():
                yield session
        except DATABASE_AWAY as exc:
            raise Unavailable("The database of feedback does not answer; try again in a moment.") from exc


def _seen_releases() -> Select[ReleaseRow, int, int]:
    def standing(rating: str) -> Any:
        return func.count(case((FeedbackRow.rating == rating, 1)))

    votes = FeedbackRow.release == ReleaseRow.id
    return select(ReleaseRow, standing("up"), standing("down")).outerjoin(FeedbackRow, votes).group_by(ReleaseRow.seq)


def _seen(row: ReleaseRow, up: int, down: int) -> SeenRelease:
    return SeenRelease(row.id, row.first_seen, row.last_seen, up, down)


def _values(vote: Vote, now: datetime) -> dict[str, Any]:
    return {
        "id": f"fb_{uuid.uuid4().hex}",
        "tenant": vote.tenant,
        "key_id": vote.key_id,
        "answer_id": vote.answer.answer_id,
        "release": vote.answer.release,
        "rating": vote.rating,
        "comment": vote.comment,
        "correction": vote.correction,
        "answer": vote.answer.model_dump_json(),
        "created_at": now,
        "updated_at": now,
        "observed": False,
    }


def kept_vote(row: FeedbackRow) -> KeptVote:
    """A row as the vote it is."""
    vote = Vote(
        tenant=row.tenant,
        key_id=row.key_id,
        answer=AnswerRecord.model_validate_json(row.answer),
        rating=cast(Rating, row.rating),
        comment=row.comment,
        correction=row.correction,
    )
    return KeptVote(row.id, vote, row.created_at, row.updated_at)
