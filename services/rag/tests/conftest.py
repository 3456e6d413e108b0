"""Rag with fakes behind its ports."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import numpy as np
import pytest
from fastapi import FastAPI
from opskit.contracts.answers import AnswerRecord
from opskit.contracts.reader import (
    ReaderDelta,
    ReaderRequest,
    ReaderResult,
    Support,
    TokenUsage,
    Turn,
)
from opskit.contracts.releases import ServingTable
from opskit.errors import Unavailable
from prometheus_client import REGISTRY
from pydantic import SecretStr
from rag.answer import Answering, Finished, Words
from rag.app import create_app
from rag.dependencies import Rag
from rag.ports import Embedded, Exchange, Found, KeptAnswers, Served
from rag.recording import Recorder
from rag.release import ReleaseSettings, RetrievalSettings, load_release
from rag.serving import Lines
from rag.settings import Settings
from rag.slots import ReaderSlots
from rag.understanding import Ask

TOKEN = "internal-token-for-tests"
RELEASE_FILE = Path(__file__).parents[1] / "src" / "rag" / "release.yaml"

SYNC = "By default, Argo CD checks Git repositories every 3 minutes. The interval can be changed."
HELM = "Plugins are installed with the command helm plugin install. Each has its own folder."


def found(text: str = SYNC, **changes: object) -> Found:
    """A chunk that was found."""
    values: dict[str, object] = {
        "chunk_id": f"chk_{abs(hash(text)) % 10_000}",
        "document": "argo/faq.md",
        "generation": 1,
        "page": None,
        "title": "FAQ",
        "heading": "Syncing",
        "text": text,
        "score": 0.9,
        "similarity": 0.7,
        **changes,
    }
    return Found(**values)


def quoting(passage: int, text: str, quote: str) -> Support:
    start = text.index(quote)
    return Support(passage=passage, start=start, end=start + len(quote))


def said(answer: str, *supports: Support, abstained: bool = False) -> ReaderResult:
    return ReaderResult(
        answer=answer,
        short=answer[:10],
        supports=list(supports),
        abstained=abstained,
        confidence=0.8,
        usage=TokenUsage(prompt_tokens=321, completion_tokens=12),
    )


THREE_MINUTES = said("3 minutes. [1]", quoting(1, SYNC, "every 3 minutes"))


class FakeModels:
    def __init__(self) -> None:
        self.served = Served("reader-digest", "fingerprint")
        self.down = False

    async def current(self) -> Served:
        if self.down:
            raise Unavailable("Triton is down.")
        return self.served


class FakeEmbedder:
    def __init__(self) -> None:
        self.texts: list[str] = []

    async def embed(self, texts: Sequence[str]) -> Embedded:
        self.texts += texts
        vectors = np.zeros((len(texts), 384), dtype=np.float32)
        vectors[:, 0] = 1.0
        return Embedded(vectors, [len(text.split()) for text in texts])


class FakeRetriever:
    def __init__(self) -> None:
        self.chunks: list[Found] = [found(), found(HELM, document="helm/plugins.md", title="Plugins")]
        self.asked: list[tuple[str, str, int]] = []
        self.down = False

    async def find(self, question: str, *, scope: str, wanted: int, settings: RetrievalSettings) -> list[Found]:
        self.asked.append((question, scope, wanted))
        if self.down:
            raise Unavailable("Milvus is down.")
        return list(self.chunks)


class FakeReader:
    """Says `deltas` and then `result`; breaks off where `fails_after` deltas were said; waits when told to."""

    def __init__(self) -> None:
        self.deltas = ["3 minutes.", " [1]"]
        self.result: ReaderResult | None = THREE_MINUTES
        self.fails_after: int | None = None
        self.failure: Exception = Unavailable("The reader went away.")
        self.go = asyncio.Event()
        self.go.set()
        self.asked = asyncio.Event()
        self.requests: list[ReaderRequest] = []
        self.models: list[str] = []
        self.missing: set[str] = set()
        self.stopped = 0

    async def read(
        self, request: ReaderRequest, *, model: str, seconds: float
    ) -> AsyncGenerator[ReaderDelta | ReaderResult, None]:
        self.requests.append(request)
        self.models.append(model)
        if model in self.missing:
            raise Unavailable("The reader in Triton is not loaded.")
        self.asked.set()
        finished = False
        try:
            for number, text in enumerate(self.deltas):
                if number == self.fails_after:
                    raise self.failure
                yield ReaderDelta(text=text)
                await self.go.wait()
            if self.fails_after is not None:
                raise self.failure
            finished = True
            if self.result is not None:
                yield self.result
        finally:
            self.stopped += not finished


class FakeRanker:
    """Likes texts with some word in them."""

    def __init__(self, likes: str) -> None:
        self.likes = likes
        self.down = False

    async def scores(self, question: str, texts: Sequence[str]) -> Sequence[float]:
        if self.down:
            raise Unavailable("Triton is down.")
        return [5.0 if self.likes in text else -5.0 for text in texts]


class FakeConversations:
    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], list[Exchange]] = {}

    async def history(self, tenant: str, conversation_id: str) -> list[Exchange]:
        return list(self.kept.get((tenant, conversation_id), []))

    async def add(self, tenant: str, conversation_id: str, exchange: Exchange) -> None:
        self.kept.setdefault((tenant, conversation_id), []).append(exchange)


class FakeAnswers:
    def __init__(self) -> None:
        self.kept: dict[str, AnswerRecord] = {}
        self.down = False

    async def save(self, record: AnswerRecord) -> None:
        if self.down:
            raise Unavailable("The database is down.")
        self.kept[record.answer_id] = record

    async def get(self, tenant: str, answer_id: str) -> AnswerRecord | None:
        record = self.kept.get(answer_id)
        return record if record is not None and record.tenant == tenant else None

    async def kept_after(self, cursor: int, *, limit: int) -> KeptAnswers:
        if self.down:
            raise Unavailable("The database is down.")
        found = list(self.kept.values())[cursor : cursor + limit]
        return KeptAnswers([one.model_dump_json() for one in found], cursor + len(found))


@dataclass
class World:
    """Everything outside, faked, and the pipeline over it."""

    release: ReleaseSettings
    models: FakeModels = field(default_factory=FakeModels)
    embedder: FakeEmbedder = field(default_factory=FakeEmbedder)
    retriever: FakeRetriever = field(default_factory=FakeRetriever)
    reader: FakeReader = field(default_factory=FakeReader)
    ranker: FakeRanker | None = None
    table: ServingTable = field(default_factory=ServingTable)
    conversations: FakeConversations = field(default_factory=FakeConversations)
    answers: FakeAnswers = field(default_factory=FakeAnswers)
    slots: ReaderSlots = field(default_factory=lambda: ReaderSlots(at_once=2, waiting=2, wait_seconds=5))

    SYNC = SYNC
    HELM = HELM
    found = staticmethod(found)
    quoting = staticmethod(quoting)
    said = staticmethod(said)

    liking = FakeRanker

    @staticmethod
    def asking(*messages: str, **changes: object) -> Ask:
        return asking(*messages, **changes)

    @staticmethod
    def headers(tenant: str = "acme") -> dict[str, str]:
        return caller(tenant)

    def lines(self) -> Lines:
        return Lines(self.release, self.models, self)

    def answering(self) -> Answering:
        return Answering(
            lines=self.lines(),
            embedder=self.embedder,
            retriever=self.retriever,
            reader=self.reader,
            ranker=self.ranker,
            slots=self.slots,
            conversations=self.conversations,
            recorder=Recorder(self.answers, self.conversations),
            seconds=5.0,
        )

    def live(self) -> None:
        """Let the reader's words out before they are checked."""
        prompt = self.release.prompt.model_copy(update={"hold_until_verified": False})
        self.release = self.release.model_copy(update={"prompt": prompt})

    def app(self) -> FastAPI:
        settings = Settings.model_validate({"internal_token": SecretStr(TOKEN)})
        app = create_app(settings)
        app.state.rag = Rag(self.answering(), self.lines(), self.retriever, self.embedder, self.answers, started=1)
        return app

    def client(self, tenant: str = "acme") -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app(), raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://rag", headers=caller(tenant))

    async def ask(self, *messages: str, **changes: object) -> tuple[list[str], Finished]:
        """Ask with alternating messages of user and assistant, and hear it all."""
        words: list[str] = []
        finished: Finished | None = None
        async with aclosing(self.answering().answer(asking(*messages, **changes))) as events:
            async for event in events:
                if isinstance(event, Words):
                    words.append(event.text)
                else:
                    finished = event
        assert finished is not None
        return words, finished


def asking(*messages: str, **changes: object) -> Ask:
    turns = [Turn(role=("user", "assistant")[number % 2], content=text) for number, text in enumerate(messages)]
    ask = Ask(answer_id="ans_1", tenant="acme", knowledge_base="default", messages=turns, conversation_id="conv_1")
    return replace(ask, **changes)


def caller(tenant: str = "acme") -> dict[str, str]:
    return {"authorization": f"Bearer {TOKEN}", "x-nexus-tenant": tenant, "x-nexus-key-id": "key_1"}


@pytest.fixture
def release() -> ReleaseSettings:
    return load_release(RELEASE_FILE)


@pytest.fixture
def world(release: ReleaseSettings) -> World:
    return World(release)


@pytest.fixture
def metric() -> Callable[..., float]:
    """How much a metric grew since the test began."""

    def value(name: str, **labels: str) -> float:
        return sum(
            sample.value
            for family in REGISTRY.collect()
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    before = [(sample.name, sample.labels, sample.value) for family in REGISTRY.collect() for sample in family.samples]

    def grown(name: str, **labels: str) -> float:
        old = sum(number for known, its, number in before if known == name and labels.items() <= its.items())
        return value(name, **labels) - old

    return grown
