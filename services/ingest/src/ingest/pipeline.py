"""From a claim to an indexed document: load, extract, embed what is new, replace the generation. No Celery here.

A failed step leaves the old generation serving. What is the document's own fault fails it; what is a dependency's
fault makes it wait.
"""

import hashlib
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Literal, TypeVar

import numpy as np
import structlog
from opskit.contracts.chunks import EMBEDDING_DIMENSION, embedded_text
from opskit.errors import TooLarge, Unavailable

from ingest import metrics
from ingest.catalogue import Clock, utc_now
from ingest.claims import Claim, Claims
from ingest.embedding_cache import EmbeddingCache, digest_of
from ingest.errors import BrokenVectors, Superseded
from ingest.parsers.document import Unreadable
from ingest.ports import ChunkIndex, DocumentStore, Embedder, Extracted, Extractor, Vectors
from ingest.splitting import made_by, without_repeats

log = structlog.get_logger(__name__)

Outcome = Literal["nothing", "indexed", "unchanged", "removed", "superseded", "waiting", "retrying", "failed"]
Part = TypeVar("Part")

MAX_ATTEMPTS: Final = 3
MAX_LOST_ATTEMPTS: Final = 5
"""Attempts that ended without a word: each time the worker died, maybe because of this document."""
EMBED_AT_ONCE: Final = 16
UNIT_LENGTH_TOLERANCE: Final = 0.05


@dataclass(frozen=True, slots=True)
class Loaded:
    """A version of a document as it is to be indexed, and with which embedder."""

    etag: str
    sha256: str
    fingerprint: str
    extracted: Extracted


@dataclass(frozen=True)
class Pipeline:
    """Brings documents to their wished state: at a stretch by `run`, or in parts, each within `bounded`."""

    claims: Claims
    store: DocumentStore
    extractor: Extractor
    embedder: Embedder
    cache: EmbeddingCache
    index: ChunkIndex
    clock: Clock = utc_now

    def run(self, claim: Claim) -> Outcome:
        """Do the work of `claim` and record how it ended."""
        started = time.perf_counter()
        outcome = self.bounded(claim, self._remove if claim.is_removal else self._index)
        metrics.INDEX_SECONDS.labels(outcome).observe(time.perf_counter() - started)
        log.info("document_done", document_id=claim.name.id, outcome=outcome, generation=claim.generation)
        return outcome

    def bounded(self, claim: Claim, work: Callable[[Claim], Part | Outcome]) -> Part | Outcome:
        """What `work` gives; when it fails the claim ends, and this is how."""
        try:
            if claim.attempts > MAX_LOST_ATTEMPTS and not claim.is_removal:
                return self._give_up(claim, f"Indexing was cut off {claim.attempts - 1} times; the worker died.")
            return work(claim)
        except Superseded:
            self.claims.released(claim)
            return "superseded"
        except (Unreadable, TooLarge) as exc:
            return self._give_up(claim, str(exc))
        except Unavailable as exc:
            metrics.FAILURES.labels("dependency").inc()
            self._postpone(claim, f"Waiting: {exc.message}", counts=False)
            return "waiting"
        except Exception as exc:
            metrics.WORKER_UNEXPECTED.labels("pipeline").inc()
            log.exception("indexing_failed", document_id=claim.name.id, attempt=claim.attempts)
            reason = f"Indexing failed: {type(exc).__name__}: {exc}"[:500]
            if claim.attempts >= MAX_ATTEMPTS and not claim.is_removal:
                return self._give_up(claim, reason)
            self._postpone(claim, reason, counts=True)
            return "retrying"

    def load(self, claim: Claim) -> Loaded | Outcome:
        """The document as chunks; an outcome when nothing is left to be done."""
        fingerprint = self.embedder.fingerprint()
        content = self.store.get(claim.name)
        if content is None:
            self.claims.vanished(claim)
            return "removed"
        sha256 = hashlib.sha256(content.data).hexdigest()
        if sha256 == claim.indexed_sha256 and claim.indexed_by == made_by(fingerprint):
            self.claims.unchanged(claim, etag=content.etag, sha256=sha256)
            return "unchanged"
        extracted = self.extractor.extract(claim.name.key, content.data)
        return Loaded(content.etag, sha256, fingerprint, replace(extracted, chunks=without_repeats(extracted.chunks)))

    def embed(self, claim: Claim, loaded: Loaded) -> Vectors:
        """A vector for every chunk. Raises Superseded."""
        self._go_on(claim)
        return self._vectors(loaded.fingerprint, loaded.extracted)

    def write(self, claim: Claim, loaded: Loaded, vectors: Vectors) -> Outcome:
        """Make it the document's one generation. Raises Superseded."""
        self._go_on(claim)
        self.index.replace(loaded.fingerprint, claim.name, claim.generation, loaded.extracted, vectors)
        chunks = len(loaded.extracted.chunks)
        metrics.CHUNKS_WRITTEN.inc(chunks)
        self.claims.indexed(
            claim,
            etag=loaded.etag,
            sha256=loaded.sha256,
            made_by=made_by(loaded.fingerprint),
            chunks=chunks,
            title=loaded.extracted.title,
        )
        return "indexed"

    def _remove(self, claim: Claim) -> Outcome:
        self.index.remove(claim.name)
        self.claims.removed(claim)
        return "removed"

    def _index(self, claim: Claim) -> Outcome:
        loaded = self.load(claim)
        return self.write(claim, loaded, self.embed(claim, loaded)) if isinstance(loaded, Loaded) else loaded

    def _go_on(self, claim: Claim) -> None:
        if not self.claims.is_current(claim):
            raise Superseded

    def _vectors(self, fingerprint: str, extracted: Extracted) -> Vectors:
        """A vector for every chunk: the known ones from the cache, the rest from the embedder, kept as they come so
        that an attempt cut short is not lost."""
        texts = [embedded_text(extracted.title, chunk.heading, chunk.text) for chunk in extracted.chunks]
        digests = [digest_of(text) for text in texts]
        known = dict(self.cache.known(fingerprint, digests))
        new = {digest: text for digest, text in zip(digests, texts, strict=True) if digest not in known}
        # Texts of like length together: a batch is padded to its longest.
        ordered = sorted(new, key=lambda digest: len(new[digest]))
        for at in range(0, len(ordered), EMBED_AT_ONCE):
            batch = ordered[at : at + EMBED_AT_ONCE]
            vectors = checked(self.embedder.embed([new[digest] for digest in batch]), expected=len(batch))
            metrics.EMBEDDINGS.inc(len(batch))
            self.cache.keep(fingerprint, batch, vectors)
            known |= dict(zip(batch, vectors, strict=True))
        return np.stack([known[digest] for digest in digests])

    def _postpone(self, claim: Claim, reason: str, *, counts: bool) -> None:
        seconds = 2.0 * 2 ** min(claim.attempts, 4) if counts else 3.0
        until = self.clock() + timedelta(seconds=seconds * random.uniform(0.7, 1.3))
        self.claims.postponed(claim, reason, until=until, counts=counts)

    def _give_up(self, claim: Claim, reason: str) -> Outcome:
        metrics.FAILURES.labels("document").inc()
        self.claims.given_up(claim, reason)
        return "failed"


def checked(vectors: Vectors, *, expected: int) -> Vectors:
    """`vectors` when they can be indexed: as many as asked for, of the right size, finite and of unit length."""
    if vectors.shape != (expected, EMBEDDING_DIMENSION):
        raise BrokenVectors(f"The embedder gave vectors of shape {vectors.shape} for {expected} texts.")
    lengths: Sequence[float] = np.linalg.norm(vectors, axis=1)
    if not np.all(np.abs(np.asarray(lengths) - 1.0) < UNIT_LENGTH_TOLERANCE):  # NaN fails this, too
        raise BrokenVectors("The embedder gave vectors that are not of unit length.")
    return vectors.astype(np.float32, copy=False)
