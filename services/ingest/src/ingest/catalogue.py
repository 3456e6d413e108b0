"""The catalogue: what is wished of every document, and what is known of it. `claims.py` is its other half, the work.

A wish is recorded before anything is acknowledged. It says what the store held when somebody looked; who works on it
looks again. `seen` makes a wish conditional: it counts only when nobody wished anything else since.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Engine, and_, case, delete, func, or_, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ingest.keys import DocumentName
from ingest.tables import DELETED, FAILED, INDEXED, INDEXING, QUEUED, STATUSES, DeadLetter, Document

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a listing."""

    documents: Sequence[Document]
    total: int


@dataclass(frozen=True, slots=True)
class KnowledgeBase:
    """A knowledge base in numbers."""

    name: str
    documents: int
    chunks: int


@dataclass(frozen=True, slots=True)
class Overview:
    """The whole catalogue in numbers."""

    by_status: Mapping[str, int]
    oldest_wish: datetime | None
    dead_letters: int


def needs_work() -> ColumnElement[bool]:
    """Documents that a worker has to see to."""
    return or_(Document.status == QUEUED, and_(Document.status == DELETED, Document.in_index))


class Catalogue:
    """Wishes and look-ups."""

    def __init__(self, engine: Engine, clock: Clock = utc_now) -> None:
        self._engine = engine
        self._clock = clock

    def check(self) -> None:
        """Return when the database can be used."""
        with Session(self._engine) as session:
            session.execute(text("SELECT 1"))

    def find(self, name: DocumentName) -> Document | None:
        """The document's row, also when it is deleted."""
        with Session(self._engine) as session:
            return session.get(Document, name.id)

    def page(self, tenant: str, knowledge_base: str, *, prefix: str, after: str, limit: int) -> Page:
        """Documents whose key starts with `prefix`, ordered by key, beginning behind `after`."""
        wanted = [
            Document.tenant == tenant,
            Document.knowledge_base == knowledge_base,
            Document.status != DELETED,
        ]
        if prefix:
            wanted.append(func.substr(Document.key, 1, len(prefix)) == prefix)
        with Session(self._engine) as session:
            total = session.scalar(select(func.count()).select_from(Document).where(*wanted)) or 0
            rows = session.scalars(
                select(Document).where(*wanted, Document.key > after).order_by(Document.key).limit(limit)
            )
            return Page(documents=list(rows), total=total)

    def knowledge_bases(self, tenant: str) -> list[KnowledgeBase]:
        """The knowledge bases of `tenant` that hold documents, by name."""
        query = (
            select(Document.knowledge_base, func.count(), func.sum(Document.chunks))
            .where(Document.tenant == tenant, Document.status != DELETED)
            .group_by(Document.knowledge_base)
            .order_by(Document.knowledge_base)
        )
        with Session(self._engine) as session:
            return [KnowledgeBase(name, count, chunks or 0) for name, count, chunks in session.execute(query)]

    def everything(self) -> Iterator[Document]:
        """Every row, deleted ones, too."""
        with Session(self._engine) as session:
            yield from session.scalars(select(Document).execution_options(yield_per=1000))

    def overview(self) -> Overview:
        """Figures for the metrics."""
        with Session(self._engine) as session:
            counted = select(Document.status, func.count()).group_by(Document.status)
            by_status = dict(session.execute(counted).tuples().all())
            pending = or_(needs_work(), Document.status == INDEXING)
            return Overview(
                by_status={status: by_status.get(status, 0) for status in STATUSES},
                oldest_wish=session.scalar(select(func.min(Document.wished_at)).where(pending)),
                dead_letters=session.scalar(select(func.count()).select_from(DeadLetter)) or 0,
            )

    def wish(self, name: DocumentName, etag: str, sha256: str | None, *, seen: int | None = None) -> Document | None:
        """The store holds version `etag`: index it. None when `seen` is not the document's revision any more (0: there
        was no row)."""
        now = self._clock()
        pending = Document.status.in_((QUEUED, INDEXING))
        values: dict[str, Any] = {
            "revision": Document.revision + 1,
            "status": QUEUED,
            "error": None,
            "etag": etag,
            "sha256": sha256,
            "attempts": 0,
            "enqueued_at": now,
            "not_before": None,
            "wished_at": case((pending, Document.wished_at), else_=now),
            "updated_at": now,
        }
        while True:
            if row := self._change(name, values, seen):
                return row
            if seen:
                return None
            try:
                return self._insert(name, etag, sha256, now)
            except IntegrityError:
                if seen is not None:
                    return None  # somebody else was first; without `seen` the update is due now

    def wish_gone(self, name: DocumentName, *, seen: int | None = None) -> Document | None:
        """The store does not hold the document any more: remove it from the index. None when there is nothing to
        remove, or `seen` is not the document's revision any more."""
        now = self._clock()
        values: dict[str, Any] = {
            "revision": Document.revision + 1,
            "status": DELETED,
            "error": None,
            "attempts": 0,
            "enqueued_at": now,
            "not_before": None,
            "wished_at": now,
            "updated_at": now,
        }
        return self._change(name, values, seen, Document.status != DELETED)

    def rebuild(self, document_id: str, *, seen: int) -> None:
        """Index the present version again although it did not change (the index lost it, or the rules are new)."""
        now = self._clock()
        with Session(self._engine) as session, session.begin():
            session.execute(
                update(Document)
                .where(Document.id == document_id, Document.revision == seen, Document.status.in_((INDEXED, FAILED)))
                .values(
                    revision=Document.revision + 1,
                    status=QUEUED,
                    error=None,
                    indexed_sha256=None,
                    attempts=0,
                    enqueued_at=None,
                    not_before=None,
                    wished_at=now,
                    updated_at=now,
                )
            )
            session.execute(delete(DeadLetter).where(DeadLetter.document_id == document_id))

    def forget_deleted(self, older_than: timedelta) -> int:
        """Drop the rows of documents deleted long ago; nothing is left of those anywhere."""
        with Session(self._engine) as session, session.begin():
            gone = delete(Document).where(
                Document.status == DELETED,
                Document.in_index.is_(False),
                Document.lease_owner.is_(None),
                Document.updated_at < self._clock() - older_than,
            )
            return session.execute(gone).rowcount  # type: ignore[attr-defined, no-any-return]

    def _change(
        self, name: DocumentName, values: dict[str, Any], seen: int | None, *also: ColumnElement[bool]
    ) -> Document | None:
        wanted = [Document.id == name.id, *also]
        if seen is not None:
            wanted.append(Document.revision == seen)
        with Session(self._engine, expire_on_commit=False) as session, session.begin():
            row = session.scalar(update(Document).where(*wanted).values(**values).returning(Document))
            if row is not None:
                session.execute(delete(DeadLetter).where(DeadLetter.document_id == name.id))
            return row

    def _insert(self, name: DocumentName, etag: str, sha256: str | None, now: datetime) -> Document:
        row = Document(
            id=name.id,
            tenant=name.tenant,
            knowledge_base=name.knowledge_base,
            key=name.key,
            revision=1,
            status=QUEUED,
            etag=etag,
            sha256=sha256,
            generation=0,
            chunks=0,
            in_index=False,
            attempts=0,
            enqueued_at=now,
            wished_at=now,
            updated_at=now,
        )
        with Session(self._engine, expire_on_commit=False) as session, session.begin():
            session.add(row)
        return row
