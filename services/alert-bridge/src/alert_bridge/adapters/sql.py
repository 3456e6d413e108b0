"""Incidents in SQL: SQLite beside the embedded stack, PostgreSQL elsewhere."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice

from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from alert_bridge.adapters.sessions import Sessions
from alert_bridge.adapters.sql_runs import find_run, keep_decided, look_at
from alert_bridge.adapters.tables import IncidentRow
from alert_bridge.incidents import Decision, Episode, Handled, Page, Verdict
from alert_bridge.ports import Decide
from alert_bridge.runs import Target

_IDS_IN_A_QUERY = 500


class SqlIncidents:
    """Satisfies `IncidentStore`."""

    def __init__(self, engine: Engine) -> None:
        self._sessions = Sessions(engine)

    def record(self, episodes: Sequence[Episode], decide: Decide, *, now: datetime) -> list[Handled]:
        """Decide on each episode and keep it, with the run that it starts."""
        with self._sessions.one_at_a_time() as session:
            recording = _Recording(session, episodes, decide, now)
            return [recording.handle(episode) for episode in episodes]

    def page(self, *, limit: int, before: int | None) -> Page:
        """Some incidents, the newest first."""
        query = select(IncidentRow).order_by(IncidentRow.seq.desc())
        if before is not None:
            query = query.where(IncidentRow.seq < before)
        with self._sessions.open() as session:
            rows = list(session.scalars(query.limit(limit + 1)))
            return Page([row.value() for row in rows[:limit]], rows[limit - 1].seq if len(rows) > limit else None)

    def check(self) -> None:
        """Return when the database answers."""
        with self._sessions.open() as session:
            session.execute(text("SELECT 1"))


class _Recording:
    """The decisions of one message, in one transaction."""

    def __init__(self, session: Session, episodes: Iterable[Episode], decide: Decide, now: datetime) -> None:
        self._session = session
        self._decide = decide
        self._now = now
        self._rows = _known(session, {episode.incident_id for episode in episodes})
        self._targets: dict[str, Target] = {}

    def handle(self, episode: Episode) -> Handled:
        row = self._rows.get(episode.incident_id)
        before = row.value() if row is not None else None
        verdict = self._decide(episode, before, self._target(episode.target))
        if row is None:
            row = self._rows[episode.incident_id] = _new_row(episode, self._now)
            self._session.add(row)
        _update(row, episode, verdict, self._now)
        self._attach_run(row, episode, verdict)
        return Handled(episode, before, row.value())

    def _target(self, name: str) -> Target:
        if name not in self._targets:
            self._targets[name] = look_at(self._session, name)
        return self._targets[name]

    def _attach_run(self, row: IncidentRow, episode: Episode, verdict: Verdict) -> None:
        if verdict.run is None or (row.run is not None and row.run.id == verdict.run):
            return  # what has ended stays shown: an incident that only resolved still had its run
        if verdict.decision is Decision.STARTED:
            row.run = keep_decided(self._session, episode.order(), now=self._now)
            self._targets.pop(episode.target, None)
        else:
            row.run = find_run(self._session, verdict.run)


def _known(session: Session, ids: Iterable[str]) -> dict[str, IncidentRow]:
    rows: dict[str, IncidentRow] = {}
    left = iter(ids)
    while some := list(islice(left, _IDS_IN_A_QUERY)):
        rows.update((row.id, row) for row in session.scalars(select(IncidentRow).where(IncidentRow.id.in_(some))))
    return rows


def _new_row(episode: Episode, now: datetime) -> IncidentRow:
    return IncidentRow(
        id=episode.incident_id,
        fingerprint=episode.fingerprint,
        starts_at=episode.starts_at,
        ends_at=None,
        decision="",
        run=None,
        first_received=now,
        messages=0,
    )


def _update(row: IncidentRow, episode: Episode, verdict: Verdict, now: datetime) -> None:
    if row.ends_at is None:  # what comes after the end is old
        row.labels, row.annotations, row.ends_at = dict(episode.labels), dict(episode.annotations), episode.ends_at
    row.decision, row.reason = verdict.decision.value, verdict.reason
    row.last_received = now
    row.messages += 1
