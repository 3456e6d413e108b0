"""Votes to test with, on a database of their own."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest
from nexus_serving.engines.contract import ReaderFailed
from opskit.contracts.answers import AnswerRecord, Citation
from opskit.contracts.releases import ReleaseBundle, release_id
from opskit.contracts.trials import Trial, TrialAnswer
from opskit.database import open_database
from opskit.errors import InvalidRequest
from sqlalchemy import Engine
from trainer.adapters.sql import SqlFeedback
from trainer.feedback import Vote

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)

MakeVote = Callable[..., Vote]


def answer_record(**changes: Any) -> AnswerRecord:
    """An answer, a little different where a test says so."""
    record: dict[str, Any] = {
        "answer_id": "ans_1",
        "tenant": "acme",
        "knowledge_base": "default",
        "conversation_id": "conv_1",
        "release": "rel_1",
        "question": "How long is the interval?",
        "answer": 'Two minutes. "The interval is 120 seconds." [1]',
        "abstained": False,
        "outcome": "answered",
        "citations": [
            {
                "index": 1,
                "document": "guide.md",
                "title": "Guide",
                "quote": "The interval is 120 seconds.",
                "chunk_id": "chk_1",
                "score": 0.9,
            }
        ],
        "passages": [{"number": 1, "document": "guide.md", "title": "Guide", "text": "The interval is 120 seconds."}],
        "created_at": NOON,
    }
    return AnswerRecord.model_validate(record | changes)


@pytest.fixture(scope="session")
def make_answer() -> Callable[..., AnswerRecord]:
    return answer_record


@pytest.fixture
def make_vote() -> MakeVote:
    def make(rating: str = "down", *, key_id: str = "key_1", correction: str | None = None, **answer: Any) -> Vote:
        record = answer_record(**answer)
        return Vote(record.tenant, key_id, record, rating, None, correction)  # type: ignore[arg-type]

    return make


@pytest.fixture
def database(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/trainer.db"


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    opened = open_database(database, migrations="trainer.migrations")
    yield opened
    opened.dispose()


@pytest.fixture
def store(engine: Engine) -> SqlFeedback:
    return SqlFeedback(engine)


class FakeRag:
    """Satisfies `Answers`. It finds what answers a question only among ten passages or more, and refuses to say
    anything from passages that it is handed; `ill` are releases that it cannot answer with."""

    SETTINGS: ClassVar[dict[str, Any]] = {
        "version": 1,
        "prompt": {"instructions": "Answer.", "wording": {"abstention": "I do not know.", "empty": "Nothing."}},
        "retrieval": {"passages": 8, "fusion": "convex"},
    }

    def __init__(self) -> None:
        self.right: dict[str, str] = {}
        self.asked: list[tuple[str, Trial]] = []
        self.ill: set[str] = set()

    def start_release(self) -> ReleaseBundle:
        reader = "the start reader"
        return ReleaseBundle(
            release=release_id(reader, self.SETTINGS, ""),
            reader_digest=reader,
            engine="extractive",
            settings=self.SETTINGS,
        )

    def found(self, tenant: str, knowledge_base: str, query: str) -> list[Any]:
        return []

    def checked(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        for section in ("prompt", "retrieval"):
            for name, value in settings[section].items():
                known = self.SETTINGS[section]
                if name not in known:
                    raise InvalidRequest(
                        f"{section}.{name}: there is no such setting", param=f"settings.{section}.{name}"
                    )
                if type(value) is not type(known[name]):
                    raise InvalidRequest(f"{section}.{name}: of another type", param=f"settings.{section}.{name}")
        return dict(settings)

    def tried(self, tenant: str, trial: Trial) -> TrialAnswer:
        self.asked.append((tenant, trial))
        if trial.release.release in self.ill:
            raise ReaderFailed("the question does not fit")
        answer = self.right.get(trial.question, "")
        if trial.passages is not None or trial.release.settings["retrieval"]["passages"] < 10:
            answer = ""
        quotes = [Citation(index=1, document="a", title="A", quote=answer, chunk_id="c", score=1.0)] if answer else []
        return TrialAnswer(
            answer=answer, short=answer, abstained=not answer, citations=quotes, passages=[], seconds=0.1
        )


@pytest.fixture
def fake_rag() -> FakeRag:
    return FakeRag()
