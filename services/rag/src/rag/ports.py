"""What answering needs of the world outside, as small as its callers can do with."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from opskit.contracts.answers import AnswerRecord
from opskit.contracts.reader import ReaderDelta, ReaderRequest, ReaderResult

from rag.release import RetrievalSettings

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Embedded:
    """Vectors of unit length and the tokens that were read of each text."""

    vectors: Vectors
    tokens: Sequence[int]


class Embedder(Protocol):
    """Texts to vectors. Raises Unavailable."""

    async def embed(self, texts: Sequence[str]) -> Embedded:
        """One vector for each text."""


@dataclass(frozen=True, slots=True)
class Served:
    """What the model server serves now: the weights' own names."""

    reader_digest: str
    embedder_fingerprint: str
    engine: str = "extractive"
    """What kind of reader it is. An extractive one says only what stands in a passage; the others write."""

    @property
    def writes(self) -> bool:
        return self.engine != "extractive"


class ServedModels(Protocol):
    """Knows which models are served. Raises Unavailable."""

    async def current(self) -> Served:
        """The models as last seen; asks when nothing was seen yet."""


@dataclass(frozen=True, slots=True)
class Found:
    """A chunk that was found. `score` is 0..1, best first; `similarity` the cosine, where it was measured."""

    chunk_id: str
    document: str
    generation: int
    page: int | None
    title: str
    heading: str
    text: str
    score: float
    similarity: float | None = None


class Retriever(Protocol):
    """Finds chunks of one tenant's one knowledge base. Raises Unavailable; an index that does not exist is empty."""

    async def find(self, question: str, *, scope: str, wanted: int, settings: RetrievalSettings) -> list[Found]:
        """Candidates, best first; about `wanted` or more of them, when there are as many."""


class Ranker(Protocol):
    """Judges passages. Raises Unavailable."""

    async def scores(self, question: str, texts: Sequence[str]) -> Sequence[float]:
        """One score for each text; the higher, the more likely it answers."""


class Reader(Protocol):
    """Reads passages and answers. Raises Unavailable or ReaderFailed."""

    def read(
        self, request: ReaderRequest, *, model: str, seconds: float
    ) -> AsyncGenerator[ReaderDelta | ReaderResult, None]:
        """Deltas, then one result, by a model of the server. Closing the generator stops the work."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its answer."""

    question: str
    answer: str


class Conversations(Protocol):
    """What was said. Holds only what may be lost: a store that is down is an empty one, and is counted."""

    async def history(self, tenant: str, conversation_id: str) -> list[Exchange]:
        """The conversation so far, oldest first."""

    async def add(self, tenant: str, conversation_id: str, exchange: Exchange) -> None:
        """Remember one more exchange."""


@dataclass(frozen=True, slots=True)
class KeptAnswers:
    """Some answers, each as the JSON of its record: whoever passes them on need not read them."""

    records: Sequence[str]
    cursor: int
    """Where to go on."""


class AnswerLog(Protocol):
    """Answers as they were given. Raises Unavailable."""

    async def save(self, record: AnswerRecord) -> None:
        """Keep an answer; once this returns, anybody finds it."""

    async def get(self, tenant: str, answer_id: str) -> AnswerRecord | None:
        """One of the tenant's answers."""

    async def kept_after(self, cursor: int, *, limit: int) -> KeptAnswers:
        """Answers of all tenants in the order in which they were kept; 0 is the beginning. Whoever goes on from cursor
        to cursor misses none."""
