"""The work half of the catalogue: who works on which document, and how it ended.

A claim is a lease. Its holder beats as long as it lives; a lease that fell silent is taken back, so a worker that was
killed loses nothing. A claim's generation is handed out once, so what a holder reports after it lost its lease is void.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from opskit.database import storable
from sqlalchemy import ColumnElement, Engine, and_, case, or_, select, update
from sqlalchemy.orm import Session

from ingest.catalogue import Clock, needs_work, utc_now
from ingest.keys import DocumentName
from ingest.tables import DELETED, FAILED, INDEXED, INDEXING, QUEUED, DeadLetter, Document

LEASE: Final = timedelta(seconds=9)


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to bring one document to its wished state."""

    name: DocumentName
    owner: str
    revision: int
    generation: int
    attempts: int
    is_removal: bool
    etag: str
    indexed_sha256: str | None
    indexed_by: str | None


@dataclass(frozen=True, slots=True)
class Due:
    """A document that waits to be queued."""

    document_id: str
    is_removal: bool


class Claims:
    """Claiming, and the ways a claim ends. Each end counts only for the claim's own holder, and says whether it did."""

    def __init__(self, engine: Engine, clock: Clock = utc_now) -> None:
        self._engine = engine
        self._clock = clock

    def claim(self, document_id: str, owner: str) -> Claim | None:
        """Take the document; None when there is nothing to do, or somebody has it."""
        now = self._clock()
        taken = (
            update(Document)
            .where(
                Document.id == document_id,
                needs_work(),
                Document.lease_owner.is_(None),
                or_(Document.not_before.is_(None), Document.not_before <= now),
            )
            .values(
                lease_owner=owner,
                lease_at=now,
                in_index=True,
                generation=Document.generation + 1,
                attempts=Document.attempts + 1,
                status=case((Document.status == QUEUED, INDEXING), else_=Document.status),
                updated_at=now,
            )
            .returning(Document)
        )
        with Session(self._engine, expire_on_commit=False) as session, session.begin():
            row = session.scalar(taken)
        return None if row is None else _claim_of(row, owner)

    def is_current(self, claim: Claim) -> bool:
        """Whether the claim still holds and no newer wish makes its work void."""
        query = select(Document.id).where(*self._held(claim), Document.revision == claim.revision)
        with Session(self._engine) as session:
            return session.scalar(query) is not None

    def hold(self, claim: Claim, *, until: datetime) -> bool:
        """Keep the claim for another process, which resumes it; not for longer than `until`, should none come."""
        held = update(Document).where(*self._held(claim)).values(lease_at=until)
        with Session(self._engine) as session, session.begin():
            return bool(session.execute(held).rowcount)  # type: ignore[attr-defined]

    def resume(self, claim: Claim) -> Claim | None:
        """The claim that its owner was to hold for another process, this one or a later one; None when it was lost."""
        held = (Document.id == claim.name.id, Document.lease_owner == claim.owner)
        again = update(Document).where(*held).values(lease_at=self._clock()).returning(Document)
        with Session(self._engine, expire_on_commit=False) as session, session.begin():
            row = session.scalar(again)
        return None if row is None else _claim_of(row, claim.owner)

    def is_left_undone(self, document_id: str) -> bool:
        """Whether the document waits for work, or somebody is at it."""
        undone = select(Document.id).where(Document.id == document_id, or_(needs_work(), Document.status == INDEXING))
        with Session(self._engine) as session:
            return session.scalar(undone) is not None

    def beat(self, owner: str, document_ids: list[str]) -> None:
        """The holder lives."""
        mine = and_(Document.lease_owner == owner, Document.id.in_(document_ids))
        with Session(self._engine) as session, session.begin():
            session.execute(update(Document).where(mine).values(lease_at=self._clock()))

    def indexed(self, claim: Claim, *, etag: str, sha256: str, made_by: str, chunks: int, title: str) -> bool:
        """The index now holds this version. When a newer wish came meanwhile, the document stays queued for it."""
        return self._end(
            claim,
            always={
                "indexed_etag": etag,
                "indexed_sha256": sha256,
                "indexed_by": made_by,
                "indexed_generation": claim.generation,
                "chunks": chunks,
                "title": title,
                "attempts": 0,
            },
            if_current={"status": INDEXED, "etag": etag, "sha256": sha256, "error": None},
        )

    def unchanged(self, claim: Claim, *, etag: str, sha256: str) -> bool:
        """The bytes are those that are indexed already."""
        return self._end(
            claim,
            always={"attempts": 0},
            if_current={"status": INDEXED, "etag": etag, "indexed_etag": etag, "sha256": sha256, "error": None},
        )

    def removed(self, claim: Claim) -> bool:
        """The index holds nothing of the document any more."""
        cleared = {"indexed_etag": None, "indexed_sha256": None, "indexed_by": None, "indexed_generation": None}
        return self._end(claim, always={"chunks": 0, "in_index": False, "attempts": 0, **cleared}, if_current={})

    def vanished(self, claim: Claim) -> bool:
        """The store does not hold the document any more; its chunks are to go."""
        return self._end(
            claim, always={"attempts": 0}, if_current={"status": DELETED, "enqueued_at": None, "error": None}
        )

    def released(self, claim: Claim) -> bool:
        """The work was void; whatever is wished now is to be done."""
        back = {} if claim.is_removal else {"status": QUEUED}
        return self._end(claim, always={"attempts": 0}, if_current={"enqueued_at": None, **back})

    def postponed(self, claim: Claim, reason: str, *, until: datetime, counts: bool) -> bool:
        """It is to be tried again. `counts`: the document may be at fault, so this was one of its attempts."""
        back = {} if claim.is_removal else {"status": QUEUED}
        attempts = {} if counts else {"attempts": Document.attempts - 1}
        return self._end(
            claim,
            always={},
            if_current={"error": storable(reason), "not_before": until, "enqueued_at": None, **back, **attempts},
        )

    def given_up(self, claim: Claim, reason: str) -> bool:
        """The document failed for good: it becomes a dead letter. What was indexed of it before goes on serving."""
        letter = DeadLetter(
            document_id=claim.name.id,
            tenant=claim.name.tenant,
            knowledge_base=claim.name.knowledge_base,
            key=claim.name.key,
            etag=claim.etag,
            reason=storable(reason),
            attempts=claim.attempts,
            failed_at=self._clock(),
        )
        return self._end(
            claim, always={"attempts": 0}, if_current={"status": FAILED, "error": storable(reason)}, letter=letter
        )

    def take_back_silent(self, lease: timedelta = LEASE) -> int:
        """Free the documents whose holder fell silent."""
        now = self._clock()
        silent = and_(Document.lease_owner.is_not(None), Document.lease_at < now - lease)
        freed = update(Document).where(silent).values(**_FREE, enqueued_at=None, updated_at=now)
        with Session(self._engine) as session, session.begin():
            return session.execute(freed).rowcount  # type: ignore[attr-defined, no-any-return]

    def due(self, limit: int) -> list[Due]:
        """Documents that wait for work and are in no queue, the longest waiting first."""
        waiting = and_(
            needs_work(),
            Document.lease_owner.is_(None),
            Document.enqueued_at.is_(None),
            or_(Document.not_before.is_(None), Document.not_before <= self._clock()),
        )
        query = select(Document.id, Document.status).where(waiting).order_by(Document.wished_at).limit(limit)
        with Session(self._engine) as session:
            return [Due(id, status == DELETED) for id, status in session.execute(query)]

    def set_enqueued(self, document_id: str, *, enqueued: bool) -> None:
        """The document is in the queue, or turned out not to be."""
        change = update(Document).where(Document.id == document_id)
        with Session(self._engine) as session, session.begin():
            session.execute(change.values(enqueued_at=self._clock() if enqueued else None))

    def is_waiting(self, older_than: timedelta) -> bool:
        """Whether a document was queued so long ago and is not worked on."""
        with Session(self._engine) as session:
            return session.scalar(select(Document.id).where(self._queued(older_than)).limit(1)) is not None

    def distrust_queue(self, older_than: timedelta) -> int:
        """Count documents that were queued so long ago as not queued: the queue may have lost them."""
        lost = self._queued(older_than)
        with Session(self._engine) as session, session.begin():
            changed = session.execute(update(Document).where(lost).values(enqueued_at=None))
            return changed.rowcount  # type: ignore[attr-defined, no-any-return]

    def _queued(self, older_than: timedelta) -> ColumnElement[bool]:
        return and_(needs_work(), Document.lease_owner.is_(None), Document.enqueued_at <= self._clock() - older_than)

    def _held(self, claim: Claim) -> list[Any]:
        return [
            Document.id == claim.name.id,
            Document.lease_owner == claim.owner,
            Document.generation == claim.generation,
        ]

    def _end(
        self, claim: Claim, *, always: dict[str, Any], if_current: dict[str, Any], letter: DeadLetter | None = None
    ) -> bool:
        now = self._clock()
        with Session(self._engine) as session, session.begin():
            values = {**always, **if_current, "lease_owner": None, "lease_at": None, "updated_at": now}
            current = update(Document).where(*self._held(claim), Document.revision == claim.revision)
            if session.execute(current.values(**values)).rowcount:  # type: ignore[attr-defined]
                if letter is not None:
                    session.merge(letter)
                return True
            # A newer wish came: its status stands, and its task may have been dropped while the lease was held.
            values = {**always, "lease_owner": None, "lease_at": None, "enqueued_at": None, "updated_at": now}
            superseded = session.execute(update(Document).where(*self._held(claim)).values(**values))
            return bool(superseded.rowcount)  # type: ignore[attr-defined]


_FREE: Final[dict[str, Any]] = {
    "lease_owner": None,
    "lease_at": None,
    "status": case((Document.status == INDEXING, QUEUED), else_=Document.status),
}


def _claim_of(row: Document, owner: str) -> Claim:
    return Claim(
        name=DocumentName(row.tenant, row.knowledge_base, row.key),
        owner=owner,
        revision=row.revision,
        generation=row.generation,
        attempts=row.attempts,
        is_removal=row.status == DELETED,
        etag=row.etag,
        indexed_sha256=row.indexed_sha256,
        indexed_by=row.indexed_by,
    )
