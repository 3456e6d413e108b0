"""Keys and usage in SQL: SQLite beside the embedded stack, PostgreSQL elsewhere."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any, cast

from sqlalchemy import BigInteger, Date, DateTime, Engine, String, select, text
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from gateway.errors import KeysUnavailable
from gateway.keys import KeyRecord, Scope
from gateway.ports import UsageCount, UsageKey


class Base(DeclarativeBase):
    """The gateway's tables. Change them by a migration."""


class KeyRow(Base):
    """A key; the secret itself is nowhere."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(100))
    tenant: Mapped[str] = mapped_column(String(63), index=True)
    scopes: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(DateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime)


class UsageRow(Base):
    """What one key used on one day."""

    __tablename__ = "usage"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    tenant: Mapped[str] = mapped_column(String(63), primary_key=True)
    key_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    requests: Mapped[int] = mapped_column(BigInteger)
    answers: Mapped[int] = mapped_column(BigInteger)
    prompt_tokens: Mapped[int] = mapped_column(BigInteger)
    completion_tokens: Mapped[int] = mapped_column(BigInteger)


class SqlKeys:
    """Satisfies `KeyStore`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, key_id: str) -> KeyRecord | None:
        """The key with this id, revoked or not."""
        with _session(self._engine) as session:
            row = session.get(KeyRow, key_id)
            return _record(row) if row else None

    def list(self) -> Sequence[KeyRecord]:
        """All keys, oldest first."""
        with _session(self._engine) as session:
            rows = session.scalars(select(KeyRow).order_by(KeyRow.created_at, KeyRow.id))
            return [_record(row) for row in rows]

    def put(self, record: KeyRecord) -> None:
        """Keep a key; one with the same id is replaced."""
        with _session(self._engine) as session:
            session.merge(_row(record))

    def revoke(self, key_id: str, at: datetime) -> KeyRecord | None:
        """Close a key for ever."""
        with _session(self._engine) as session:
            row = session.get(KeyRow, key_id)
            if row is None:
                return None
            row.revoked_at = row.revoked_at or _stored(at)
            return _record(row)

    def ping(self) -> None:
        """Raise when the database does not answer."""
        with _session(self._engine) as session:
            session.execute(text("SELECT 1"))


class SqlUsage:
    """Satisfies `UsageStore`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, counts: Mapping[UsageKey, UsageCount]) -> None:
        """Add the counts to what is stored, in one transaction. Several processes may do so at once."""
        # In one order for all: two processes that wait for each other's rows would be a deadlock in PostgreSQL.
        ordered = sorted(counts.items(), key=lambda item: (item[0].day, item[0].tenant, item[0].key_id))
        rows = [_usage_values(key, count) for key, count in ordered]
        insert: Any = sqlite_insert if self._engine.dialect.name == "sqlite" else postgresql_insert
        statement = insert(UsageRow)
        sums = ("requests", "answers", "prompt_tokens", "completion_tokens")
        statement = statement.on_conflict_do_update(
            index_elements=["day", "tenant", "key_id"],
            set_={name: getattr(UsageRow, name) + getattr(statement.excluded, name) for name in sums},
        )
        with _session(self._engine) as session:
            session.execute(statement, rows)

    def list(self, *, since: date) -> Sequence[tuple[UsageKey, UsageCount]]:
        """What was counted from `since` on, newest day first."""
        order = (UsageRow.day.desc(), UsageRow.tenant, UsageRow.key_id)
        with _session(self._engine) as session:
            rows = session.scalars(select(UsageRow).where(UsageRow.day >= since).order_by(*order))
            return [
                (
                    UsageKey(row.day, row.tenant, row.key_id),
                    UsageCount(row.requests, row.answers, row.prompt_tokens, row.completion_tokens),
                )
                for row in rows
            ]


@contextmanager
def _session(engine: Engine) -> Iterator[Session]:
    try:
        with Session(engine) as session, session.begin():
            yield session
    except SQLAlchemyError as exc:
        raise KeysUnavailable("The gateway's database does not answer; try again in a moment.") from exc


def _usage_values(key: UsageKey, count: UsageCount) -> dict[str, object]:
    return {
        "day": key.day,
        "tenant": key.tenant,
        "key_id": key.key_id,
        "requests": count.requests,
        "answers": count.answers,
        "prompt_tokens": count.prompt_tokens,
        "completion_tokens": count.completion_tokens,
    }


def _record(row: KeyRow) -> KeyRecord:
    return KeyRecord(
        id=row.id,
        digest=row.digest,
        name=row.name,
        tenant=row.tenant,
        scopes=frozenset(cast(list[Scope], row.scopes.split(","))),
        created_at=row.created_at.replace(tzinfo=UTC),
        revoked_at=row.revoked_at.replace(tzinfo=UTC) if row.revoked_at else None,
    )


def _row(record: KeyRecord) -> KeyRow:
    return KeyRow(
        id=record.id,
        digest=record.digest,
        name=record.name,
        tenant=record.tenant,
        scopes=",".join(sorted(record.scopes)),
        created_at=_stored(record.created_at),
        revoked_at=_stored(record.revoked_at) if record.revoked_at else None,
    )


def _stored(moment: datetime) -> datetime:
    """UTC without a zone: SQLite keeps none, and one way for both databases is simplest."""
    return moment.astimezone(UTC).replace(tzinfo=None)
