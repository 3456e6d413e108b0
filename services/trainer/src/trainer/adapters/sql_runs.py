"""Runs in SQL: SQLite beside the embedded stack, PostgreSQL elsewhere."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, cast

from opskit.contracts.runs import Outcome, RunOrder
from opskit.database import DATABASE_AWAY, storable
from opskit.errors import Unavailable
from sqlalchemy import Engine, func, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from trainer.adapters.tables import RunRow, RunStageRow
from trainer.feedback import Page
from trainer.improvement.runs import Carrier, Run, RunTotals, StageRecord, Status
from trainer.improvement.stages import Stage


class SqlRuns:
    """Satisfies `RunStore`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._insert: Any = sqlite_insert if engine.dialect.name == "sqlite" else postgresql_insert

    def add(self, run: Run) -> bool:
        """Keep a new run; False when it is there already."""
        values = {
            "id": run.id,
            "order": run.order.model_dump_json(),
            "started_by": run.started_by,
            "created_at": run.created_at,
            "says": run.says,
            "reported": run.reported,
            "carrier": run.carrier.value,
        }
        with self._session() as session:
            made = session.execute(self._insert(RunRow).values(values).on_conflict_do_nothing(index_elements=["id"]))
            return bool(cast(Any, made).rowcount)

    def get(self, run_id: str) -> Run | None:
        """One run with its stages."""
        with self._session() as session:
            row = session.scalar(select(RunRow).where(RunRow.id == run_id))
            return None if row is None else self._with_stages(session, [row])[0]

    def page(self, *, limit: int, before: int | None) -> Page[Run]:
        """Some runs, the newest first."""
        query = select(RunRow).order_by(RunRow.seq.desc())
        if before is not None:
            query = query.where(RunRow.seq < before)
        with self._session() as session:
            rows = list(session.scalars(query.limit(limit + 1)))
            end = rows[limit - 1].seq if len(rows) > limit else None
            return Page(self._with_stages(session, rows[:limit]), end)

    def unfinished(self, target: str | None = None) -> list[Run]:
        """Runs that have not ended, the oldest first."""
        return self._where(RunRow.outcome.is_(None), target)

    def unreported(self) -> list[Run]:
        """Runs that ended, and alert-bridge does not know it."""
        return self._where(RunRow.outcome.is_not(None) & RunRow.reported.is_(False))

    def last_sign(self, run_id: str) -> datetime | None:
        """When somebody was last known to work on it."""
        with self._session() as session:
            return session.scalar(select(RunRow.last_sign).where(RunRow.id == run_id))

    def sign(self, run_id: str, *, now: datetime) -> None:
        """Somebody works on it."""
        self._change(run_id, last_sign=now)

    def claim(self, run_id: str, seen: datetime | None, *, now: datetime) -> bool:
        """Sign, unless somebody did so after the sign that was seen."""
        unchanged = (RunRow.id == run_id) & RunRow.last_sign.is_not_distinct_from(seen)
        with self._session() as session:
            changed = session.execute(update(RunRow).where(unchanged).values(last_sign=now))
            return bool(cast(Any, changed).rowcount)

    def begin(self, run_id: str, stage: Stage, *, now: datetime) -> int:
        """A stage begins; says which attempt this is."""
        with self._session() as session:
            row = session.get(RunStageRow, (run_id, stage.value))
            if row is None:
                row = RunStageRow(run=run_id, stage=stage.value, attempts=0, says="", started_at=now, status="")
                session.add(row)
            row.attempts += 1
            row.status, row.started_at, row.finished_at, row.says = Status.RUNNING.value, now, None, ""
            session.scalars(select(RunRow).where(RunRow.id == run_id)).one().last_sign = now
            return row.attempts

    def finish(self, run_id: str, stage: Stage, status: Status, says: str, *, now: datetime) -> None:
        """A stage has ended, well or not."""
        with self._session() as session:
            row = session.get_one(RunStageRow, (run_id, stage.value))
            row.status, row.finished_at, row.says = status.value, now, storable(says)

    def end(self, run_id: str, outcome: Outcome, says: str, *, now: datetime) -> None:
        """The run has ended. What ended once stays as it ended."""
        with self._session() as session:
            row = session.scalars(select(RunRow).where(RunRow.id == run_id)).one()
            if row.outcome is None:
                row.outcome, row.says, row.finished_at = outcome, storable(says), now

    def name_release(self, run_id: str, release: str) -> None:
        """The candidate has an id."""
        self._change(run_id, release=release)

    def keep_verdict(self, run_id: str, verdict: dict[str, Any]) -> None:
        """What the gate decided."""
        self._change(run_id, verdict=json.dumps(verdict))

    def verdict(self, run_id: str) -> dict[str, Any] | None:
        """What the gate decided, if it has."""
        with self._session() as session:
            kept = session.scalar(select(RunRow.verdict).where(RunRow.id == run_id))
            return None if kept is None else json.loads(kept)

    def reported(self, run_id: str) -> None:
        """alert-bridge knows how it ended."""
        self._change(run_id, reported=True)

    def totals(self) -> RunTotals:
        """For Prometheus: how runs ended, what gates decided, how long stages took."""
        with self._session() as session:
            ended = session.execute(select(RunRow.outcome, func.count()).group_by(RunRow.outcome)).all()
            verdicts = session.scalars(select(RunRow.verdict).where(RunRow.verdict.is_not(None)))
            decisions = Counter(str(json.loads(kept)["decision"]) for kept in verdicts if kept)
            rows = session.scalars(select(RunStageRow).where(RunStageRow.status == Status.DONE.value))
            stages = [(row.stage, seconds) for row in rows if (seconds := _stage(row).seconds) is not None]
        return RunTotals({name: count for name, count in ended if name}, dict(decisions), stages)

    def _where(self, condition: Any, target: str | None = None) -> list[Run]:
        with self._session() as session:
            rows = list(session.scalars(select(RunRow).where(condition).order_by(RunRow.seq)))
            runs = self._with_stages(session, rows)
        return [run for run in runs if target is None or run.order.target == target]

    def _change(self, run_id: str, **values: Any) -> None:
        with self._session() as session:
            row = session.scalars(select(RunRow).where(RunRow.id == run_id)).one()
            for name, value in values.items():
                setattr(row, name, value)

    def _with_stages(self, session: Session, rows: Iterable[RunRow]) -> list[Run]:
        rows = list(rows)
        stages: dict[str, list[StageRecord]] = {row.id: [] for row in rows}
        found = session.scalars(select(RunStageRow).where(RunStageRow.run.in_(stages)))
        for row in found:
            stages[row.run].append(_stage(row))
        return [_run(row, stages[row.id]) for row in rows]

    @contextmanager
    def _session(self) -> Iterator[Session]:
        try:
            with Session(self._engine) as session, session.begin():
                yield session
        except DATABASE_AWAY as exc:
            raise Unavailable("The database of runs does not answer; try again in a moment.") from exc


def _stage(row: RunStageRow) -> StageRecord:
    return StageRecord(Stage(row.stage), Status(row.status), row.started_at, row.finished_at, row.attempts, row.says)


def _run(row: RunRow, stages: list[StageRecord]) -> Run:
    order = list(Stage)
    return Run(
        order=RunOrder.model_validate_json(row.order),
        started_by=row.started_by,
        created_at=row.created_at,
        stages=tuple(sorted(stages, key=lambda one: order.index(one.stage))),
        outcome=cast("Outcome | None", row.outcome),
        finished_at=row.finished_at,
        says=row.says,
        release=row.release,
        reported=row.reported,
        carrier=Carrier(row.carrier),
    )
