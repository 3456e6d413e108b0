"""Answers in a real SQLite."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from opskit.contracts.answers import AnswerRecord
from opskit.database import open_database
from opskit.errors import Unavailable
from rag.adapters.sql_answers import SqlAnswers

pytestmark = pytest.mark.contract


def record(number: int = 1, **changes: object) -> AnswerRecord:
    values: dict[str, object] = {
        "answer_id": f"ans_{number}",
        "tenant": "acme",
        "knowledge_base": "default",
        "conversation_id": "conv_1",
        "release": "rel_1",
        "question": "How long?",
        "answer": "Long – é 🎉.",
        "abstained": False,
        "outcome": "answered",
        "citations": [],
        "passages": [],
        "created_at": datetime.now(UTC),
        **changes,
    }
    return AnswerRecord.model_validate(values)


@pytest.fixture
def answers(tmp_path):
    opened = SqlAnswers(open_database(f"sqlite:///{tmp_path}/rag.db", migrations="rag.migrations"))
    yield opened
    opened.close()


async def test_an_answer_comes_back_as_it_was_kept(answers):
    kept = record()
    await answers.save(kept)
    assert await answers.get("acme", "ans_1") == kept


async def test_another_tenants_answer_does_not_exist(answers):
    await answers.save(record())
    assert await answers.get("other", "ans_1") is None
    assert await answers.get("acme", "ans_2") is None


async def test_many_at_once_are_all_kept(answers):
    await asyncio.gather(*(answers.save(record(number)) for number in range(40)))
    assert all([await answers.get("acme", f"ans_{number}") for number in range(40)])


async def test_old_answers_are_swept(answers):
    await answers.save(record(1, created_at=datetime.now(UTC) - timedelta(days=91)))
    await answers.save(record(2))
    await answers.sweep(timedelta(days=90))
    assert await answers.get("acme", "ans_1") is None
    assert await answers.get("acme", "ans_2")


async def test_a_database_that_is_away_is_named(tmp_path):
    engine = open_database(f"sqlite:///{tmp_path}/rag.db", migrations="rag.migrations")
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE answers")
    broken = SqlAnswers(engine)
    with pytest.raises(Unavailable):
        await broken.save(record())
    broken.close()


async def test_the_database_opens_again_over_what_is_there(tmp_path):
    for number in (1, 2):
        opened = SqlAnswers(open_database(f"sqlite:///{tmp_path}/rag.db", migrations="rag.migrations"))
        await opened.save(record(number))
        assert await opened.get("acme", "ans_1")
        opened.close()
