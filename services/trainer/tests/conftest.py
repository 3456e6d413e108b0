"""Votes to test with, on a database of their own."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from opskit.contracts.answers import AnswerRecord
from opskit.database import open_database
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
