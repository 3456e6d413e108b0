"""What was observed, in SQL: SQLite beside the embedded stack, PostgreSQL elsewhere."""

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, cast

from opskit.contracts.answers import AnswerRecord
from opskit.database import DATABASE_AWAY
from opskit.errors import Unavailable
from sqlalchemy import CursorResult, Engine, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from trainer.adapters.sql import kept_vote
from trainer.adapters.tables import AnswerTraceRow, FeedbackRow, JudgementRow, ObservationRow
from trainer.feedback import KeptVote
from trainer.observing.judging import TRIAD, Judgement, Verdict, next_try
from trainer.observing.ports import Progress

_ANSWERS: Final = "answers"
_WAITING, _JUDGED, _SHOWN, _FAILED = "waiting", "judged", "shown", "failed"


class SqlObservations:
    """Satisfies `ObservationStore`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._insert: Any = sqlite_insert if engine.dialect.name == "sqlite" else postgresql_insert

    def progress(self, *, now: datetime) -> Progress:
        """How far it came; where nothing was ever observed it was caught up `now`."""
        with self._session() as session:
            row = session.get(ObservationRow, _ANSWERS)
            return Progress(row.cursor, row.caught_up_at) if row is not None else Progress(None, now)

    def advance(
        self, progress: Progress, *, traced: Mapping[str, str], to_judge: Collection[AnswerRecord], now: datetime
    ) -> None:
        """Answers up to the cursor are done: all of it is kept, or nothing."""
        with self._session() as session:
            for answer_id, trace_id in traced.items():
                self._trace(session, answer_id, trace_id, now)
            for answer in to_judge:
                self._choose(session, answer, now)
            values = {"cursor": progress.cursor, "caught_up_at": progress.caught_up_at}
            insert = self._insert(ObservationRow).values(name=_ANSWERS, **values)
            session.execute(insert.on_conflict_do_update(index_elements=["name"], set_=values))

    def trace_of(self, answer_id: str) -> str | None:
        """The trace of an answer, if it has one."""
        with self._session() as session:
            return session.scalar(select(AnswerTraceRow.trace_id).where(AnswerTraceRow.answer_id == answer_id))

    def traced(self, answer_id: str, trace_id: str, *, now: datetime) -> None:
        """An answer has a trace."""
        with self._session() as session:
            self._trace(session, answer_id, trace_id, now)

    def votes(self, *, limit: int) -> list[KeptVote]:
        """Votes that were given or changed since they were last observed, the oldest first."""
        query = select(FeedbackRow).where(FeedbackRow.observed.is_(False)).order_by(FeedbackRow.seq).limit(limit)
        with self._session() as session:
            return [kept_vote(row) for row in session.scalars(query)]

    def vote_observed(self, vote: KeptVote) -> None:
        """This vote was dealt with, unless it has changed meanwhile."""
        same = (FeedbackRow.id == vote.id, FeedbackRow.updated_at == vote.updated_at)
        with self._session() as session:
            session.execute(update(FeedbackRow).where(*same).values(observed=True))

    def take_to_judge(self, *, limit: int, now: datetime, until: datetime) -> list[AnswerRecord]:
        """Answers whose turn it is; nobody else gets them before `until`."""
        if limit < 1:
            return []
        due = (JudgementRow.state == _WAITING, JudgementRow.due_at <= now)
        query = select(JudgementRow).where(*due).order_by(JudgementRow.due_at).limit(limit)
        taken = []
        with self._session() as session:
            for row in session.scalars(query.with_for_update(skip_locked=True)):
                assert row.answer is not None, "what waits has its answer"
                row.due_at = until
                taken.append(AnswerRecord.model_validate_json(row.answer))
        return taken

    def judged(self, verdict: Verdict, judge: str, *, now: datetime) -> Judgement | None:
        """A judge came to a verdict; None when nobody waited for it."""
        with self._session() as session:
            row = session.get(JudgementRow, verdict.answer_id)
            if row is None or row.state != _WAITING:
                return None
            for name in TRIAD:
                setattr(row, name, verdict.scores.get(name))
            row.state, row.judge, row.judged_at = _JUDGED, judge[:256], now
            row.reasons = json.dumps(dict(verdict.reasons))
            return _judgement(row)

    def not_judged(self, verdict: Verdict, *, now: datetime) -> bool:
        """A judge failed; whether it is given up now, or tried again later."""
        with self._session() as session:
            row = session.get(JudgementRow, verdict.answer_id)
            if row is None or row.state != _WAITING:
                return False
            row.attempts += 1
            row.reasons = json.dumps({"failure": verdict.failure})
            again_at = next_try(row.attempts, now)
            if again_at is None:
                row.state, row.answer, row.judged_at = _FAILED, None, now
                return True
            row.due_at = again_at
            return False

    def to_show(self, *, limit: int) -> list[tuple[AnswerRecord, Judgement]]:
        """Judgements that do not stand at their traces yet."""
        query = select(JudgementRow).where(JudgementRow.state == _JUDGED).order_by(JudgementRow.judged_at).limit(limit)
        with self._session() as session:
            rows = session.scalars(query)
            return [(AnswerRecord.model_validate_json(row.answer or ""), _judgement(row)) for row in rows]

    def shown(self, answer_id: str) -> None:
        """A judgement stands at its trace; the answer itself is needed no more."""
        with self._session() as session:
            same = update(JudgementRow).where(JudgementRow.answer_id == answer_id)
            session.execute(same.values(state=_SHOWN, answer=None))

    def waiting(self) -> int:
        """How many answers wait for their judge."""
        with self._session() as session:
            return session.scalar(select(func.count()).where(JudgementRow.state == _WAITING)) or 0

    def forget(self, *, before: datetime) -> int:
        """Forget what was observed before then."""
        old = delete(AnswerTraceRow).where(AnswerTraceRow.traced_at < before)
        with self._session() as session:
            session.execute(delete(JudgementRow).where(JudgementRow.chosen_at < before))
            return cast(CursorResult[Any], session.execute(old)).rowcount

    def _trace(self, session: Session, answer_id: str, trace_id: str, now: datetime) -> None:
        values = {"trace_id": trace_id, "traced_at": now}
        insert = self._insert(AnswerTraceRow).values(answer_id=answer_id, **values)
        session.execute(insert.on_conflict_do_update(index_elements=["answer_id"], set_=values))

    def _choose(self, session: Session, answer: AnswerRecord, now: datetime) -> None:
        insert = self._insert(JudgementRow).values(
            answer_id=answer.answer_id,
            release=answer.release,
            state=_WAITING,
            answer=answer.model_dump_json(),
            attempts=0,
            due_at=now,
            chosen_at=now,
        )
        session.execute(insert.on_conflict_do_nothing(index_elements=["answer_id"]))

    @contextmanager
    def _session(self) -> Iterator[Session]:
        try:
            with Session(self._engine) as session, session.begin():
                yield session
        except DATABASE_AWAY as exc:
            raise Unavailable("The database of observations does not answer; try again in a moment.") from exc


def _judgement(row: JudgementRow) -> Judgement:
    scores = {name: getattr(row, name) for name in TRIAD}
    assert row.judge is not None
    assert row.judged_at is not None
    return Judgement(
        row.answer_id,
        row.release,
        row.judge,
        {name: score for name, score in scores.items() if score is not None},
        json.loads(row.reasons or "{}"),
        row.judged_at,
    )
