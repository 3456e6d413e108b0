"""Votes in a real SQLite file."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from opskit.database import open_database
from opskit.errors import Unavailable
from sqlalchemy import create_engine
from trainer.adapters.sql import SqlFeedback
from trainer.adapters.tables import Base

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)


@pytest.fixture
def database(any_database):
    return any_database


def kept(store, tenant="acme"):
    return store.votes(tenant, limit=100, before=None).items


def test_a_vote_comes_back_with_the_whole_answer(store, make_vote):
    vote = make_vote("down", correction="One minute.")
    receipt = store.keep(vote, now=NOON)
    assert receipt.before is None
    assert kept(store) == [receipt.kept]
    assert receipt.kept.vote == vote
    assert receipt.kept.vote.answer.passages[0].text == "The interval is 120 seconds."
    assert (receipt.kept.created_at, receipt.kept.updated_at) == (NOON, NOON)


def test_a_vote_outlives_the_process(database, store, make_vote):
    receipt = store.keep(make_vote(), now=NOON)
    again = open_database(database, migrations="trainer.migrations")
    assert kept(SqlFeedback(again)) == [receipt.kept]
    again.dispose()


def test_a_second_vote_of_the_same_key_replaces_the_first(store, make_vote):
    first = store.keep(make_vote("down", correction="One minute."), now=NOON)
    second = store.keep(make_vote("up"), now=LATER)
    assert second.before == "down"
    assert second.kept.id == first.kept.id
    assert (second.kept.created_at, second.kept.updated_at) == (NOON, LATER)
    assert [(vote.vote.rating, vote.vote.correction) for vote in kept(store)] == [("up", None)]


@pytest.mark.parametrize(("first", "second", "changes"), [("up", "up", False), ("up", "down", True)])
def test_saying_the_same_again_does_not_change_the_count(store, make_vote, first, second, changes):
    assert store.keep(make_vote(first), now=NOON).changes_the_count
    assert store.keep(make_vote(second), now=LATER).changes_the_count is changes


def test_keys_tenants_and_answers_vote_apart(store, make_vote):
    votes = [make_vote(), make_vote(key_id="key_2"), make_vote(answer_id="ans_2"), make_vote(tenant="other")]
    assert [store.keep(vote, now=NOON).before for vote in votes] == [None] * 4
    assert len(kept(store)) == 3
    assert len(kept(store, "other")) == 1


def test_many_votes_at_once_on_one_answer_leave_one(store, make_vote):
    ready = threading.Barrier(16)

    def vote(number):
        ready.wait()
        return store.keep(make_vote("up" if number % 2 else "down"), now=NOON + timedelta(seconds=number))

    with ThreadPoolExecutor(16) as pool:
        receipts = list(pool.map(vote, range(16)))
    assert len([receipt for receipt in receipts if receipt.before is None]) == 1
    assert len({receipt.kept.id for receipt in receipts}) == 1
    assert len(kept(store)) == 1


def test_pages_show_every_vote_once_newest_first(store, make_vote):
    for number in range(7):
        store.keep(make_vote(answer_id=f"ans_{number}"), now=NOON)
    seen, before = [], None
    for _ in range(3):
        page = store.votes("acme", limit=3, before=before)
        seen += [kept.vote.answer.answer_id for kept in page.items]
        before = page.end
    assert seen == [f"ans_{number}" for number in reversed(range(7))]
    assert before is None


def test_a_full_last_page_is_the_last(store, make_vote):
    store.keep(make_vote(), now=NOON)
    assert store.votes("acme", limit=1, before=None).cursor is None


def test_a_release_shows_its_standing_votes_and_when_it_was_seen(store, make_vote):
    store.keep(make_vote("up", release="rel_1"), now=NOON)
    store.keep(make_vote("down", release="rel_1", key_id="key_2"), now=LATER)
    store.keep(make_vote("up", release="rel_1", key_id="key_2"), now=LATER)
    store.keep(make_vote("down", release="rel_2", answer_id="ans_2"), now=LATER)
    newest, oldest = store.releases(limit=10, before=None).items
    assert (newest.id, newest.up, newest.down) == ("rel_2", 0, 1)
    assert (oldest.id, oldest.up, oldest.down, oldest.first_seen, oldest.last_seen) == ("rel_1", 2, 0, NOON, LATER)
    assert store.release("rel_2") == newest
    assert store.release("rel_3") is None
    assert store.release_ids() == ["rel_1", "rel_2"]


def test_releases_come_in_pages(store, make_vote):
    for number in range(3):
        store.keep(make_vote(release=f"rel_{number}", answer_id=f"ans_{number}"), now=NOON)
    first = store.releases(limit=2, before=None)
    second = store.releases(limit=2, before=first.end)
    assert [release.id for release in [*first.items, *second.items]] == ["rel_2", "rel_1", "rel_0"]
    assert second.end is None


def test_old_votes_expire_by_when_they_were_last_given_and_releases_stay(store, make_vote):
    store.keep(make_vote(answer_id="old"), now=NOON)
    store.keep(make_vote(answer_id="renewed"), now=NOON)
    store.keep(make_vote(answer_id="renewed"), now=LATER)
    assert store.expire(before=LATER) == 1
    assert [vote.vote.answer.answer_id for vote in kept(store)] == ["renewed"]
    assert store.expire(before=LATER) == 0
    store.expire(before=LATER + timedelta(days=1))
    assert store.release_ids() == ["rel_1"]


def test_times_are_kept_in_utc_wherever_they_were_taken(store, make_vote):
    tokyo = NOON.astimezone(timezone(timedelta(hours=9)))
    assert store.keep(make_vote(), now=tokyo).kept.created_at == NOON
    assert kept(store)[0].created_at == NOON


def test_a_database_without_tables_is_unavailable(make_vote):
    store = SqlFeedback(create_engine("sqlite://"))
    with pytest.raises(Unavailable):
        store.keep(make_vote(), now=NOON)


def test_the_migrations_make_the_tables_that_the_code_knows(engine):
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
