"""Keys and usage in a real database, and the command line on top."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from gateway.__main__ import app
from gateway.adapters.sql import Base, SqlKeys, SqlUsage
from gateway.errors import KeysUnavailable
from gateway.keys import issue, opens
from gateway.ports import UsageCount, UsageKey
from opskit.database import open_database
from sqlalchemy import create_engine, inspect
from typer.testing import CliRunner

NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
LATER = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture
def url(any_database):
    return any_database


@pytest.fixture
def engine(url):
    engine = open_database(url, migrations="gateway.migrations")
    yield engine
    engine.dispose()


@pytest.fixture
def issued():
    return issue(name="bot", tenant="acme", scopes=["chat", "documents"], now=NOW)


def test_the_migrations_make_the_tables_the_code_expects(engine):
    for table in Base.metadata.sorted_tables:
        made = {column["name"]: column["nullable"] for column in inspect(engine).get_columns(table.name)}
        assert made == {column.name: column.nullable for column in table.columns}


def test_a_key_comes_back_as_it_was_kept(engine, issued):
    store = SqlKeys(engine)
    store.put(issued.record)
    assert store.find(issued.record.id) == issued.record
    assert store.find("key_none") is None


def test_keys_are_listed_oldest_first(engine, issued):
    store = SqlKeys(engine)
    older = replace(issued.record, id="key_older", created_at=datetime(2026, 1, 1, tzinfo=UTC))
    store.put(issued.record)
    store.put(older)
    assert [record.id for record in store.list()] == ["key_older", issued.record.id]


def test_a_revocation_stays_as_it_was_the_first_time(engine, issued):
    store = SqlKeys(engine)
    store.put(issued.record)
    assert store.revoke(issued.record.id, NOW).revoked_at == NOW
    assert store.revoke(issued.record.id, LATER).revoked_at == NOW
    assert store.revoke("key_none", NOW) is None


def test_usage_adds_up_over_batches_and_writers(engine):
    key = UsageKey(date(2026, 11, 20), "acme", "key_1")
    store = SqlUsage(engine)
    writers = [
        threading.Thread(target=lambda: [store.add({key: UsageCount(1, 1, 10, 5)}) for _ in range(20)]) for _ in "ab"
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert store.list(since=date(2026, 11, 20)) == [(key, UsageCount(40, 40, 400, 200))]
    assert store.list(since=date(2026, 11, 21)) == []


def test_processes_that_count_the_same_keys_in_another_order_do_not_wait_for_each_other(engine):
    keys = [UsageKey(date(2026, 11, 20), "acme", f"key_{number:03}") for number in range(200)]
    store = SqlUsage(engine)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda step: store.add(dict.fromkeys(keys[::step], UsageCount(1, 0, 0, 0))), [1, -1] * 10))
    assert {count.requests for _, count in store.list(since=date(2026, 11, 20))} == {20}


def test_a_database_that_is_not_there_is_named_and_not_a_crash(tmp_path):
    store = SqlKeys(create_engine(f"sqlite:///{tmp_path}/no/such/folder.db"))
    with pytest.raises(KeysUnavailable):
        store.find("key_1")


class TestCommandLine:
    @pytest.fixture
    def run(self, url, monkeypatch):
        monkeypatch.setenv("NEXUS_GATEWAY_DATABASE_URL", url)
        return lambda *arguments: CliRunner().invoke(app, ["keys", *arguments])

    def test_a_key_is_made_listed_and_revoked(self, run, url):
        secret = run("create", "--name", "bot", "--tenant", "acme", "--scope", "chat").output.strip()
        engine = open_database(url, migrations="gateway.migrations")
        (record,) = SqlKeys(engine).list()
        engine.dispose()
        assert opens(record, secret)
        listed = run("list").output
        assert record.id in listed
        assert "active" in listed
        assert secret not in listed
        assert run("revoke", record.id).exit_code == 0
        assert "revoked" in run("list").output

    def test_revoking_what_is_not_there_fails(self, run):
        assert run("revoke", "key_none").exit_code == 1

    @pytest.mark.parametrize(
        "arguments",
        [
            ["--name", "x", "--tenant", "Not One", "--scope", "chat"],
            ["--name", "x", "--tenant", "acme", "--scope", "root"],
            ["--name", "x", "--tenant", "acme"],
        ],
    )
    def test_senseless_arguments_are_refused(self, run, arguments):
        assert run("create", *arguments).exit_code == 2
