"""What ingest needs of the world outside, as small as its callers can do with."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ingest.keys import DocumentName
from ingest.splitting import Chunk

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A version of a document in the store. `etag` changes whenever the bytes do."""

    name: DocumentName
    etag: str


@dataclass(frozen=True, slots=True)
class Content:
    """A document's bytes and the etag they had when they were read."""

    data: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class Extracted:
    """A document as chunks."""

    title: str
    chunks: Sequence[Chunk]


class DocumentStore(Protocol):
    """Where documents are kept. Raises Unavailable when it cannot be reached."""

    def put(self, name: DocumentName, data: bytes) -> str:
        """Store the bytes, whole or not at all, and return their etag. Conflict when a key would be both a document
        and a folder."""

    def get(self, name: DocumentName) -> Content | None:
        """The bytes as they are now; None when there are none. TooLarge when there are more than may be."""

    def etag(self, name: DocumentName) -> str | None:
        """The etag as it is now; None when the document is not there."""

    def delete(self, name: DocumentName) -> None:
        """Remove the document; that it is gone already is fine."""

    def documents(self) -> Iterator[StoredDocument]:
        """Every document of every tenant."""

    def check(self) -> None:
        """Return when the store can be used."""


class Extractor(Protocol):
    """Turns a file into chunks, within bounds of time and memory. Raises Unreadable."""

    def extract(self, key: str, data: bytes) -> Extracted:
        """The chunks of the document named `key`."""


class Embedder(Protocol):
    """Turns texts into vectors. Raises Unavailable when it cannot be reached."""

    def fingerprint(self) -> str:
        """Names weights and conversion: vectors of two fingerprints never mix."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One vector of unit length for each text, in order."""


@dataclass(frozen=True, slots=True)
class Indexed:
    """What the index holds of one document: its generations, each with the number of its chunks."""

    generations: Mapping[int, int]


class ChunkIndex(Protocol):
    """Where chunks are searched. Raises Unavailable when it cannot be reached."""

    def replace(
        self, fingerprint: str, name: DocumentName, generation: int, extracted: Extracted, vectors: Vectors
    ) -> None:
        """Make `extracted` the document's one generation: all of it appears at once, then what is older goes."""

    def remove(self, name: DocumentName) -> None:
        """Remove every chunk of the document, whatever embedder it was made with."""

    def count(self, fingerprint: str) -> int:
        """How many chunks there are."""

    def contents(self, fingerprint: str) -> Mapping[str, Indexed]:
        """What is held of each document, by document id."""

    def remove_ids(self, fingerprint: str, document_ids: Sequence[str]) -> None:
        """Remove the chunks of documents that nobody knows."""


class TaskQueue(Protocol):
    """Hands work to the workers. Raises Unavailable when it cannot be reached."""

    def submit(self, document_id: str, *, urgent: bool = False) -> None:
        """Ask for one document to be brought to its wished state; asking twice is harmless."""

    def depth(self) -> int:
        """Tasks nobody has taken yet."""

    def check(self) -> None:
        """Return when the queue can be used."""
