"""Answers in a real database."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from opskit.contracts.answers import AnswerRecord
from opskit.database import open_database
from opskit.errors import Unavailable
from rag.adapters.sql_answers import Base, SqlAnswers

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
def answers(any_database):
    opened = SqlAnswers(open_database(any_database, migrations="rag.migrations"))
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


async def test_the_database_opens_again_over_what_is_there(any_database):
    for number in (1, 2):
        opened = SqlAnswers(open_database(any_database, migrations="rag.migrations"))
        await opened.save(record(number))
        assert await opened.get("acme", "ans_1")
        opened.close()


async def ids_after(answers, cursor=0, limit=100):
    kept = await answers.kept_after(cursor, limit=limit)
    return [AnswerRecord.model_validate_json(one).answer_id for one in kept.records], kept.cursor


class TestInOrder:
    async def test_answers_come_in_the_order_in_which_they_were_kept(self, answers):
        for number in (3, 1, 2):
            await answers.save(record(number, tenant=f"tenant-{number}"))
        assert (await ids_after(answers))[0] == ["ans_3", "ans_1", "ans_2"]

    async def test_whoever_follows_the_cursor_sees_each_once_while_others_are_kept(self, answers):
        seen, cursor, saving = [], 0, asyncio.gather(*(answers.save(record(number)) for number in range(60)))
        while len(seen) < 60:
            ids, cursor = await ids_after(answers, cursor, limit=7)
            seen += ids
        await saving
        assert len(set(seen)) == 60
        assert await ids_after(answers, cursor) == ([], cursor)

    async def test_a_number_is_not_given_again_when_all_answers_were_swept(self, answers):
        await answers.save(record(1))
        _, cursor = await ids_after(answers)
        await answers.sweep(timedelta(0))
        assert await ids_after(answers, cursor) == ([], cursor)
        await answers.save(record(2))
        assert (await ids_after(answers, cursor))[0] == ["ans_2"]

    async def test_a_cursor_over_another_database_begins_anew(self, answers):
        await answers.save(record(1))
        assert (await ids_after(answers, cursor=5000))[0] == ["ans_1"]

    async def test_the_same_answer_is_not_kept_twice(self, answers):
        await answers.save(record(1))
        with pytest.raises(sa.exc.IntegrityError):
            await answers.save(record(1))


def migrated(engine, revision, *, move=command.upgrade):
    """What opskit.database does, to one revision."""
    config = Config()
    config.set_main_option("script_location", "rag:migrations")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        move(config, revision)


class TestMigration:
    @pytest.fixture
    def before(self, any_database):
        """A database as the version before left it, with answers that were not written by age."""
        engine = sa.create_engine(any_database)
        migrated(engine, "0002")
        insert = sa.text("INSERT INTO answers (id, tenant, created_at, record) VALUES (:id, 'acme', :at, :record)")
        with engine.begin() as connection:
            for number, day in ((1, 3), (2, 1), (3, 2)):
                kept = record(number, created_at=datetime(2026, 11, day, tzinfo=UTC))
                row = {"id": kept.answer_id, "at": f"2026-11-0{day} 00:00:00", "record": kept.model_dump_json()}
                connection.execute(insert, row)
        return engine

    async def test_what_was_there_is_numbered_by_age_and_found_as_before(self, before):
        migrated(before, "head")
        answers = SqlAnswers(before)
        assert (await ids_after(answers))[0] == ["ans_2", "ans_3", "ans_1"]
        assert (await answers.get("acme", "ans_3")).created_at.day == 2
        answers.close()

    def test_the_tables_are_those_that_the_code_knows(self, before):
        migrated(before, "head")
        with before.connect() as connection:
            found = compare_metadata(MigrationContext.configure(connection), Base.metadata)
            indexes = sa.inspect(connection).get_indexes("answers")
        assert [difference for difference in found if difference[1].name != "serving"] == []
        assert "ix_answers_created_at" in {index["name"] for index in indexes}

    def test_it_goes_back_and_forth(self, before):
        for _ in range(2):
            migrated(before, "head")
            migrated(before, "0002", move=command.downgrade)
        with before.connect() as connection:
            assert connection.execute(sa.text("SELECT count(*) FROM answers")).scalar() == 3
