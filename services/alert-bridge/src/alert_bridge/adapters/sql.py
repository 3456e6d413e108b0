"""Incidents in SQL: SQLite beside the embedded stack, PostgreSQL elsewhere."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice

from opskit.errors import Unavailable
from sqlalchemy import JSON, DateTime, Engine, Integer, String, Text, select, text
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.types import TypeDecorator

from alert_bridge.incidents import Decision, Episode, Incident, Page, Verdict
from alert_bridge.ports import Decide

_IDS_IN_A_QUERY = 500


class UtcTime(TypeDecorator[datetime]):
    """A point in time, kept in UTC. SQLite keeps no time zone, so it is put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Aware times only."""
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Back with its zone."""
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


class Base(DeclarativeBase):
    """The tables of alert-bridge. Change them by a migration."""


class IncidentRow(Base):
    """One firing episode of one alert."""

    __tablename__ = "incidents"

    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    id: Mapped[str] = mapped_column(String(40), unique=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    starts_at: Mapped[datetime] = mapped_column(UtcTime)
    ends_at: Mapped[datetime | None] = mapped_column(UtcTime)
    labels: Mapped[dict[str, str]] = mapped_column(JSON)
    annotations: Mapped[dict[str, str]] = mapped_column(JSON)
    decision: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text)
    run: Mapped[str | None] = mapped_column(String(128))
    first_received: Mapped[datetime] = mapped_column(UtcTime)
    last_received: Mapped[datetime] = mapped_column(UtcTime)
    messages: Mapped[int] = mapped_column(Integer)


class SqlIncidents:
    """Satisfies `IncidentStore`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        sqlite = engine.dialect.name == "sqlite"
        self._one_at_a_time = text("BEGIN IMMEDIATE" if sqlite else "LOCK TABLE incidents IN SHARE ROW EXCLUSIVE MODE")

    def record(self, episodes: Sequence[Episode], decide: Decide, *, now: datetime) -> list[Incident]:
        """Decide on each episode and keep it."""
        with self._session() as session:
            session.execute(self._one_at_a_time)
            rows = _known(session, {episode.incident_id for episode in episodes})
            decided: dict[str, IncidentRow] = {}
            for episode in episodes:
                row = rows.get(episode.incident_id)
                verdict = decide(episode, _incident(row) if row is not None else None)
                if row is None:
                    row = rows[episode.incident_id] = _new_row(episode, now)
                    session.add(row)
                if row.decision != verdict.decision:
                    decided[row.id] = row
                _update(row, episode, verdict, now)
            return [_incident(row) for row in decided.values()]

    def page(self, *, limit: int, before: int | None) -> Page:
        """Some incidents, the newest first."""
        query = select(IncidentRow).order_by(IncidentRow.seq.desc())
        if before is not None:
            query = query.where(IncidentRow.seq < before)
        with self._session() as session:
            rows = list(session.scalars(query.limit(limit + 1)))
            return Page([_incident(row) for row in rows[:limit]], rows[limit - 1].seq if len(rows) > limit else None)

    def check(self) -> None:
        """Return when the database answers."""
        with self._session() as session:
            session.execute(text("SELECT 1"))

    @contextmanager
    def _session(self) -> Iterator[Session]:
        try:
            with Session(self._engine) as session, session.begin():
                yield session
        except OperationalError as exc:
            raise Unavailable("The database of incidents does not answer; try again in a moment.") from exc


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


def _incident(row: IncidentRow) -> Incident:
    episode = Episode(row.fingerprint, row.starts_at, row.ends_at, row.labels, row.annotations)
    verdict = Verdict(Decision(row.decision), row.reason)
    return Incident(row.id, episode, verdict, row.run, row.first_received, row.last_received, row.messages)
