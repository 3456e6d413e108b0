"""Releases and the audit of their changes in SQL."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from opskit.contracts.releases import ReleaseBundle
from opskit.database import DATABASE_AWAY
from opskit.errors import Unavailable
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from trainer.adapters.tables import ReleaseChangeRow, ReleaseRow
from trainer.improvement.releases import Change, Moves, Release, State

_SERVING = frozenset({State.CHAMPION.value, State.CHALLENGER.value})


class SqlReleases:
    """Satisfies `ReleaseStore`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        sqlite = engine.dialect.name == "sqlite"
        self._one_at_a_time = text("BEGIN IMMEDIATE" if sqlite else "LOCK TABLE releases IN SHARE ROW EXCLUSIVE MODE")

    def all(self) -> list[Release]:
        """Every release that is known, in the order in which they became known."""
        with self._session() as session:
            return _releases(session)

    def start_with(self, bundle: ReleaseBundle, *, now: datetime) -> None:
        """The release that the platform starts with; one it started with before is history. While it serves as champion
        or challenger, because somebody proposed the same settings, it stays that."""
        if _starts_with(self.all(), bundle):
            return  # mostly so: asked again every few seconds, it must not take the lock that votes need
        with self._session() as session:
            session.execute(self._one_at_a_time)
            for other in session.scalars(select(ReleaseRow).where(ReleaseRow.state == State.START.value)):
                if other.id != bundle.release:
                    other.state = State.SEEN.value
            row = _row(session, bundle.release, now)
            if row.state not in _SERVING:
                row.state, row.bundle = State.START.value, bundle.model_dump_json()

    def add(self, release: Release, parts: dict[str, Any], *, now: datetime) -> None:
        """Keep a candidate with what it is made of. One that is known already stays as it is."""
        with self._session() as session:
            session.execute(self._one_at_a_time)
            row = _row(session, release.id, now)
            if row.bundle is None or row.state == State.SEEN.value:
                row.state, row.run = release.state.value, release.run
                row.bundle = release.bundle.model_dump_json() if release.bundle else None
                row.parts = json.dumps(parts)

    def parts(self, release_id: str) -> dict[str, Any] | None:
        """What a release is made of."""
        with self._session() as session:
            kept = session.scalar(select(ReleaseRow.parts).where(ReleaseRow.id == release_id))
            return json.loads(kept) if kept else None

    def move(self, decide: Callable[[Sequence[Release], Sequence[str]], Moves]) -> Moves:
        """Decide on the releases as they are, one caller at a time, and keep what changed. `decide` is also told the
        earlier champions, the last one last. Raises what it raises."""
        with self._session() as session:
            session.execute(self._one_at_a_time)
            moves = decide(_releases(session), _champions(session))
            for release in moves.releases:
                row = session.scalars(select(ReleaseRow).where(ReleaseRow.id == release.id)).one()
                row.state, row.share = release.state.value, release.share
            session.add_all(_change_row(change) for change in moves.changes)
            return moves

    def champions(self) -> list[str]:
        """Every release that was the champion, the last one last."""
        with self._session() as session:
            return _champions(session)

    def changes(self, release_id: str) -> list[Change]:
        """The audit of one release, the oldest first."""
        with self._session() as session:
            query = select(ReleaseChangeRow).where(ReleaseChangeRow.release == release_id)
            return [_change(row) for row in session.scalars(query.order_by(ReleaseChangeRow.seq))]

    @contextmanager
    def _session(self) -> Iterator[Session]:
        try:
            with Session(self._engine) as session, session.begin():
                yield session
        except DATABASE_AWAY as exc:
            raise Unavailable("The database of releases does not answer; try again in a moment.") from exc


def _starts_with(releases: Sequence[Release], bundle: ReleaseBundle) -> bool:
    """Whether this is known already."""
    start = [one for one in releases if one.state is State.START]
    if not start:
        return any(one.id == bundle.release and one.state in _SERVING for one in releases)
    return [one.bundle for one in start] == [bundle]


def _row(session: Session, release_id: str, now: datetime) -> ReleaseRow:
    row = session.scalar(select(ReleaseRow).where(ReleaseRow.id == release_id))
    if row is None:
        row = ReleaseRow(id=release_id, first_seen=now, last_seen=now, state=State.SEEN.value, share=0.0)
        session.add(row)
    return row


def _releases(session: Session) -> list[Release]:
    return [_release(row) for row in session.scalars(select(ReleaseRow).order_by(ReleaseRow.seq))]


def _release(row: ReleaseRow) -> Release:
    bundle = ReleaseBundle.model_validate_json(row.bundle) if row.bundle else None
    return Release(row.id, State(row.state), bundle, row.run, row.share)


def _champions(session: Session) -> list[str]:
    query = select(ReleaseChangeRow.release).where(ReleaseChangeRow.after == State.CHAMPION.value)
    return list(session.scalars(query.order_by(ReleaseChangeRow.seq)))


def _change_row(change: Change) -> ReleaseChangeRow:
    return ReleaseChangeRow(
        release=change.release,
        at=change.at,
        before=change.before.value,
        after=change.after.value,
        who=change.who,
        why=change.why,
    )


def _change(row: ReleaseChangeRow) -> Change:
    return Change(row.at, row.release, State(row.before), State(row.after), row.who, row.why)
