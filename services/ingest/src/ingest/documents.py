"""What can be done with documents: put, look up, delete, and notice what others did to the store."""

import hashlib

import structlog
from opskit.errors import NotFound, Unavailable

from ingest import metrics
from ingest.catalogue import Catalogue
from ingest.claims import Claims
from ingest.dead_letters import DeadLetters
from ingest.keys import DocumentName
from ingest.ports import Content, DocumentStore, TaskQueue
from ingest.tables import DELETED, FAILED, Document

log = structlog.get_logger(__name__)


class Documents:
    """The use cases behind the API, the watcher and the S3 events."""

    def __init__(self, store: DocumentStore, catalogue: Catalogue, claims: Claims, queue: TaskQueue) -> None:
        self._store = store
        self._catalogue = catalogue
        self._claims = claims
        self._queue = queue

    def put(self, name: DocumentName, data: bytes) -> Document:
        """Store the bytes and wish for them to be indexed. The same bytes again cost nothing."""
        digest = hashlib.sha256(data).hexdigest()
        row = self._catalogue.find(name)
        if row is not None and row.sha256 == digest and row.status not in (FAILED, DELETED):  # noqa: SIM102
            # The file may have been changed behind our back without being noticed yet.
            if self._store.etag(name) == row.etag:
                return row
        etag = self._store.put(name, data)
        wished = self._catalogue.wish(name, etag, digest)
        assert wished is not None  # without `seen` a wish is unconditional
        self._submit(wished)
        return wished

    def get(self, name: DocumentName) -> Document:
        """What is known of the document; of a deleted one, too, for a while."""
        row = self._catalogue.find(name)
        if row is None:
            raise NotFound(f"There is no document `{name.key}` in the knowledge base `{name.knowledge_base}`.")
        return row

    def content(self, name: DocumentName) -> Content:
        """The document's bytes."""
        row = self.get(name)
        content = None if row.status == DELETED else self._store.get(name)
        if content is None:
            raise NotFound(f"There is no document `{name.key}` in the knowledge base `{name.knowledge_base}`.")
        return content

    def delete(self, name: DocumentName) -> Document:
        """Remove the document from the store, and wish for it to leave the index."""
        row = self._catalogue.find(name)
        if (row is None or row.status == DELETED) and self._store.etag(name) is None:
            raise NotFound(f"There is no document `{name.key}` in the knowledge base `{name.knowledge_base}`.")
        if row is None:
            self.notice(name)  # dropped into the store and not seen before: it is deleted like any other
        self._store.delete(name)
        gone = self._catalogue.wish_gone(name)
        if gone is None:
            return self.get(name)  # it was in the store only, or somebody else deleted it this moment
        self._submit(gone)
        return gone

    def notice(self, name: DocumentName) -> bool:
        """Something may have happened to the document: look at the store, and wish for what is there. True when that
        was news. Looking twice, late or in any order does no harm."""
        row = self._catalogue.find(name)
        seen = 0 if row is None else row.revision
        etag = self._store.etag(name)
        if etag is None:
            wished = None if row is None else self._catalogue.wish_gone(name, seen=seen)
        elif row is None or row.status == DELETED or row.etag != etag:
            wished = self._catalogue.wish(name, etag, None, seen=seen)
        else:
            return False
        if wished is None:
            return False
        log.info("change_noticed", document_id=name.id, gone=etag is None)
        self._submit(wished)
        return True

    def replay(self, letters: DeadLetters, tenant: str, letter_id: str) -> Document:
        """Try a given-up document again."""
        letter = letters.find(tenant, letter_id)
        if letter is None:
            raise NotFound("There is no such dead letter.")
        name = DocumentName(letter.tenant, letter.knowledge_base, letter.key)
        self._catalogue.rebuild(letter.document_id, seen=self.get(name).revision)
        row = self.get(name)
        self._submit(row)
        return row

    def _submit(self, row: Document) -> None:
        """Queue the work. When the queue is away the wish stays, and the dispatcher queues it later."""
        removal = row.status == DELETED
        if removal and not row.in_index:
            return
        try:
            self._queue.submit(row.id, urgent=removal)
        except Unavailable as exc:
            metrics.QUEUE_FAILURES.inc()
            log.warning("not_queued", document_id=row.id, reason=exc.message)
            self._claims.set_enqueued(row.id, enqueued=False)
