"""Compares the store, the catalogue and the index, and repairs what differs. Events are hints; this is the truth.

`store_repairs` and `index_repairs` are pure: what was found in, what is to be looked at out. A repair is never made
from the listing alone, which is old by then: it looks at the store again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog
from opskit.errors import Unavailable

from ingest.catalogue import Catalogue
from ingest.claims import Claims
from ingest.dispatch import dispatch
from ingest.documents import Documents
from ingest.keys import DocumentName
from ingest.ports import ChunkIndex, DocumentStore, Embedder, Indexed, TaskQueue
from ingest.splitting import made_by
from ingest.tables import DELETED, INDEXED, Document

log = structlog.get_logger(__name__)

QUEUE_TRUST: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Known:
    """What the catalogue says of a document."""

    name: DocumentName
    revision: int
    status: str
    etag: str
    indexed_by: str | None
    indexed_generation: int | None
    chunks: int
    in_index: bool


@dataclass(frozen=True, slots=True)
class IndexRepairs:
    """What the index has lost, and what it holds that nobody knows."""

    rebuild: tuple[Known, ...]
    orphans: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What a reconciliation did."""

    noticed: int
    rebuilt: int
    orphans: int
    queued: int


def store_repairs(stored: Mapping[DocumentName, str], known: Iterable[Known]) -> set[DocumentName]:
    """The documents whose wish is not what the store holds."""
    differing = set(stored)
    for entry in known:
        etag = stored.get(entry.name)
        agrees = etag is None if entry.status == DELETED else etag == entry.etag
        if agrees:
            differing.discard(entry.name)
        else:
            differing.add(entry.name)
    return differing


def index_repairs(held: Mapping[str, Indexed], known: Iterable[Known]) -> IndexRepairs:
    """Indexed documents of which the index does not hold exactly the one complete generation, and strangers. Documents
    that are being worked on are left alone."""
    strangers = set(held)
    lost: list[Known] = []
    for entry in known:
        if entry.in_index:
            strangers.discard(entry.name.id)
        if entry.status != INDEXED:
            continue
        found = held.get(entry.name.id)
        generations = dict(found.generations) if found else {}
        if generations != {entry.indexed_generation: entry.chunks}:
            lost.append(entry)
    return IndexRepairs(rebuild=tuple(lost), orphans=tuple(sorted(strangers)))


def outdated(known: Iterable[Known], present: str) -> list[Known]:
    """Documents whose chunks were made with another embedder or other rules of splitting."""
    return [entry for entry in known if entry.status == INDEXED and entry.indexed_by != present]


def compare_store(store: DocumentStore, catalogue: Catalogue, documents: Documents) -> int:
    """Make the catalogue wish for what the store holds; how many changes that were."""
    stored = {found.name: found.etag for found in store.documents()}
    known = map(_known_of, catalogue.everything())
    return sum(documents.notice(name) for name in store_repairs(stored, known))


class Reconciler:
    """Runs the comparison and the repairs."""

    def __init__(
        self,
        *,
        store: DocumentStore,
        catalogue: Catalogue,
        claims: Claims,
        documents: Documents,
        queue: TaskQueue,
        index: ChunkIndex,
        embedder: Embedder,
        keep_deleted: timedelta,
    ) -> None:
        self._store = store
        self._catalogue = catalogue
        self._claims = claims
        self._documents = documents
        self._queue = queue
        self._index = index
        self._embedder = embedder
        self._keep_deleted = keep_deleted

    def run(self, *, thorough: bool = False) -> Report:
        """Repair both ways. `thorough`: look at every chunk, even when their number is right, and trust no queue."""
        noticed = compare_store(self._store, self._catalogue, self._documents)
        self._claims.distrust_queue(timedelta(0) if thorough else QUEUE_TRUST)
        rebuilt = orphans = 0
        try:
            rebuilt, orphans = self._repair_index(thorough=thorough)
        except Unavailable as exc:
            log.warning("index_not_compared", reason=exc.message)
        queued = dispatch(self._claims, self._queue)
        self._catalogue.forget_deleted(self._keep_deleted)
        report = Report(noticed=noticed, rebuilt=rebuilt, orphans=orphans, queued=queued)
        if noticed or rebuilt or orphans:
            log.info("reconciled", noticed=noticed, rebuilt=rebuilt, orphans=orphans, queued=queued)
        return report

    def _repair_index(self, *, thorough: bool) -> tuple[int, int]:
        fingerprint = self._embedder.fingerprint()
        known = [_known_of(row) for row in self._catalogue.everything()]
        again = {entry.name.id: entry for entry in outdated(known, made_by(fingerprint))}
        orphans: tuple[str, ...] = ()
        expected = sum(entry.chunks for entry in known)
        if thorough or self._index.count(fingerprint) != expected:
            repairs = index_repairs(self._index.contents(fingerprint), known)
            again |= {entry.name.id: entry for entry in repairs.rebuild}
            orphans = repairs.orphans
        for entry in again.values():
            self._catalogue.rebuild(entry.name.id, seen=entry.revision)
        if orphans:
            self._index.remove_ids(fingerprint, orphans)
        return len(again), len(orphans)


def _known_of(row: Document) -> Known:
    return Known(
        name=DocumentName(row.tenant, row.knowledge_base, row.key),
        revision=row.revision,
        status=row.status,
        etag=row.etag,
        indexed_by=row.indexed_by,
        indexed_generation=row.indexed_generation,
        chunks=row.chunks,
        in_index=row.in_index,
    )
