"""Fakes behind the ports, and a catalogue in a temporary database."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ingest.catalogue import Catalogue
from ingest.claims import Claims
from ingest.documents import Documents
from ingest.embedding_cache import EmbeddingCache
from ingest.keys import DocumentName
from ingest.parsers.formats import parse
from ingest.pipeline import Pipeline
from ingest.ports import Content, Extracted, Indexed, StoredDocument, Vectors
from ingest.reconcile import Reconciler
from ingest.splitting import split
from opskit.contracts.chunks import EMBEDDING_DIMENSION, chunk_id
from opskit.database import open_database
from opskit.errors import Unavailable
from sqlalchemy import Engine


def count_words(texts: Sequence[str]) -> list[int]:
    """A tokenizer for tests: one token a word."""
    return [len(text.split()) for text in texts]


@dataclass
class MemoryStore:
    """Documents in memory; `away` makes it unreachable."""

    held: dict[DocumentName, bytes] = field(default_factory=dict)
    away: bool = False

    def put(self, name: DocumentName, data: bytes) -> str:
        self._reach()
        self.held[name] = data
        return hashlib.sha256(data).hexdigest()

    def get(self, name: DocumentName) -> Content | None:
        self._reach()
        data = self.held.get(name)
        return None if data is None else Content(data, hashlib.sha256(data).hexdigest())

    def etag(self, name: DocumentName) -> str | None:
        content = self.get(name)
        return None if content is None else content.etag

    def delete(self, name: DocumentName) -> None:
        self._reach()
        self.held.pop(name, None)

    def documents(self) -> Iterator[StoredDocument]:
        self._reach()
        for name, data in list(self.held.items()):
            yield StoredDocument(name, hashlib.sha256(data).hexdigest())

    def check(self) -> None:
        self._reach()

    def _reach(self) -> None:
        if self.away:
            raise Unavailable("the store is away")


@dataclass
class HashEmbedder:
    """A vector from the text's digest: the same text, the same vector. Remembers what it was asked."""

    name: str = "a" * 64
    away: bool = False
    broken: bool = False
    asked: list[str] = field(default_factory=list)
    before: Callable[[], None] = lambda: None

    def fingerprint(self) -> str:
        if self.away:
            raise Unavailable("the embedder is away")
        return self.name

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.before()
        self.fingerprint()
        self.asked += texts
        if self.broken:
            return np.full((len(texts), EMBEDDING_DIMENSION), np.nan, dtype=np.float32)
        vectors = [
            np.random.default_rng(list(hashlib.sha256(text.encode()).digest())).normal(size=EMBEDDING_DIMENSION)
            for text in texts
        ]
        return np.array([vector / np.linalg.norm(vector) for vector in vectors], dtype=np.float32)


@dataclass
class MemoryIndex:
    """Rows by chunk id. `fail_before_delete` breaks off between the upsert and the removal of older rows."""

    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    away: bool = False
    fail_before_delete: bool = False

    def replace(
        self, fingerprint: str, name: DocumentName, generation: int, extracted: Extracted, vectors: Vectors
    ) -> None:
        self._reach()
        assert len(extracted.chunks) == len(vectors)
        for chunk in extracted.chunks:
            row = {"document": name, "generation": generation, "text": chunk.text, "fingerprint": fingerprint}
            self.rows[chunk_id(name.id, chunk.text, chunk.heading, chunk.page)] = row
        if self.fail_before_delete:
            raise Unavailable("the index went away between two calls")
        self._delete(lambda row: row["document"] == name and row["generation"] < generation)

    def remove(self, name: DocumentName) -> None:
        self._reach()
        self._delete(lambda row: row["document"] == name)

    def count(self, fingerprint: str) -> int:
        self._reach()
        return len(self.rows)

    def contents(self, fingerprint: str) -> Mapping[str, Indexed]:
        self._reach()
        found: dict[str, Counter[int]] = {}
        for row in self.rows.values():
            found.setdefault(row["document"].id, Counter())[row["generation"]] += 1
        return {document_id: Indexed(generations) for document_id, generations in found.items()}

    def remove_ids(self, fingerprint: str, document_ids: Sequence[str]) -> None:
        self._delete(lambda row: row["document"].id in document_ids)

    def texts(self, name: DocumentName) -> list[str]:
        """What a reader sees: the newest generation only."""
        rows = [row for row in self.rows.values() if row["document"] == name]
        newest = max((row["generation"] for row in rows), default=0)
        return [row["text"] for row in rows if row["generation"] == newest]

    def _delete(self, chosen: Callable[[dict[str, Any]], bool]) -> None:
        self.rows = {key: row for key, row in self.rows.items() if not chosen(row)}

    def _reach(self) -> None:
        if self.away:
            raise Unavailable("the index is away")


class InProcessExtractor:
    """Parses and splits right here; words count as tokens."""

    def extract(self, key: str, data: bytes) -> Extracted:
        document = parse(key, data, lambda: None)
        return Extracted(document.title, split(document, count_words, max_chunks=5000))


@dataclass
class ListQueue:
    """Remembers what was submitted."""

    submitted: list[str] = field(default_factory=list)
    urgent: list[str] = field(default_factory=list)
    away: bool = False

    def submit(self, document_id: str, *, urgent: bool = False) -> None:
        self.check()
        self.submitted.append(document_id)
        if urgent:
            self.urgent.append(document_id)

    def depth(self) -> int:
        self.check()
        return len(self.submitted)

    def check(self) -> None:
        if self.away:
            raise Unavailable("the queue is away")


@dataclass
class Clock:
    """A clock that is moved by hand."""

    now: datetime = datetime(2026, 11, 20, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class Stack:
    """All of ingest with fakes at the edges."""

    engine: Engine
    clock: Clock = field(default_factory=Clock)
    store: MemoryStore = field(default_factory=MemoryStore)
    embedder: HashEmbedder = field(default_factory=HashEmbedder)
    index: MemoryIndex = field(default_factory=MemoryIndex)
    queue: ListQueue = field(default_factory=ListQueue)
    extractor: Any = field(default_factory=InProcessExtractor)

    def __post_init__(self) -> None:
        self.catalogue = Catalogue(self.engine, self.clock)
        self.claims = Claims(self.engine, self.clock)
        self.documents = Documents(self.store, self.catalogue, self.claims, self.queue)
        self.cache = EmbeddingCache(self.engine, self.clock)
        self.pipeline = Pipeline(
            claims=self.claims,
            store=self.store,
            extractor=self.extractor,
            embedder=self.embedder,
            cache=self.cache,
            index=self.index,
            clock=self.clock,
        )
        self.reconciler = Reconciler(
            store=self.store,
            catalogue=self.catalogue,
            claims=self.claims,
            documents=self.documents,
            queue=self.queue,
            index=self.index,
            embedder=self.embedder,
            keep_deleted=timedelta(hours=24),
        )

    def work(self, owner: str = "worker-1") -> list[str]:
        """Do every queued task once; how each ended."""
        tasks, self.queue.submitted = self.queue.submitted, []
        claims = [self.claims.claim(task, owner) for task in tasks]
        return [self.pipeline.run(claim) for claim in claims if claim is not None]

    def status(self, name: DocumentName) -> str:
        return self.documents.get(name).status


@pytest.fixture
def database(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/ingest.db"


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    opened = open_database(database, migrations="ingest.migrations")
    yield opened
    opened.dispose()


@pytest.fixture
def stack(engine: Engine) -> Stack:
    return Stack(engine)


@pytest.fixture
def name() -> DocumentName:
    return DocumentName("acme", "default", "guide/intro.md")
