"""Incidents in a real SQLite file."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alert_bridge.adapters.sql import Base, SqlIncidents
from alert_bridge.decide import decide
from alert_bridge.incidents import Decision
from opskit.errors import Unavailable
from sqlalchemy import create_engine

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=6)


def all_of(store):
    return store.page(limit=1000, before=None).incidents


def test_an_episode_becomes_an_incident_and_a_repeated_message_changes_only_its_count(store, make_episode):
    (incident,) = store.record([make_episode()], decide, now=NOON)
    assert store.record([make_episode()], decide, now=LATER) == []
    (kept,) = all_of(store)
    assert (kept.id, kept.messages, kept.first_received, kept.last_received) == (incident.id, 2, NOON, LATER)
    assert (kept.verdict.decision, kept.episode) == (Decision.IGNORED, make_episode())


def test_resolving_closes_the_incident(store, make_episode):
    store.record([make_episode()], decide, now=NOON)
    (closed,) = store.record([make_episode(resolved=True)], decide, now=LATER)
    assert closed.verdict.decision is Decision.RESOLVED
    assert all_of(store) == [closed]
    assert closed.episode.ends_at == NOON + timedelta(minutes=5)


def test_a_late_message_leaves_a_closed_incident_as_it_ended(store, make_episode):
    store.record([make_episode(resolved=True, job="first")], decide, now=NOON)
    assert store.record([make_episode(job="late")], decide, now=LATER) == []
    (kept,) = all_of(store)
    assert (kept.closed, kept.episode.labels["job"], kept.messages) == (True, "first", 2)


def test_the_same_alert_firing_again_is_another_incident(store, make_episode):
    store.record([make_episode(resolved=True)], decide, now=NOON)
    store.record([make_episode(starts_at=LATER)], decide, now=LATER)
    assert [incident.closed for incident in all_of(store)] == [False, True]


def test_one_message_may_hold_an_episode_twice(store, make_episode):
    (incident,) = store.record([make_episode(), make_episode(resolved=True)], decide, now=NOON)
    assert (incident.closed, incident.messages) == (True, 2)


def test_all_or_none_of_a_message_is_kept(store, make_episode):
    def stumble(episode, known):
        if episode.fingerprint.endswith("3"):
            raise RuntimeError
        return decide(episode, known)

    with pytest.raises(RuntimeError):
        store.record([make_episode(number) for number in range(5)], stumble, now=NOON)
    assert all_of(store) == []


def test_thousands_of_alerts_in_one_message_are_kept(store, make_episode):
    message = [make_episode(number) for number in range(5_000)]
    assert len(store.record(message, decide, now=NOON)) == 5_000
    assert store.record(message, decide, now=LATER) == []


def test_messages_repeated_shuffled_and_at_once_make_one_incident_an_episode(store, make_episode):
    messages = [[make_episode(number, resolved=resolved)] for number in range(20) for resolved in (False, True)] * 5
    random.Random(7).shuffle(messages)
    with ThreadPoolExecutor(8) as pool:
        decided = list(pool.map(lambda message: store.record(message, decide, now=NOON), messages))
    assert len(all_of(store)) == 20
    assert all(incident.closed and incident.messages == 10 for incident in all_of(store))
    resolved = [incident.id for some in decided for incident in some if incident.closed]
    assert sorted(resolved) == sorted(incident.id for incident in all_of(store))


def test_pages_show_every_incident_once_newest_first(store, make_episode):
    for number in range(5):
        store.record([make_episode(number)], decide, now=NOON)
    first = store.page(limit=3, before=None)
    second = store.page(limit=3, before=first.end)
    seen = [incident.episode.fingerprint for incident in [*first.incidents, *second.incidents]]
    assert seen == [f"{number:016x}" for number in (4, 3, 2, 1, 0)]
    assert second.cursor is None


def test_a_database_without_tables_is_unavailable(make_episode):
    with pytest.raises(Unavailable):
        SqlIncidents(create_engine("sqlite://")).record([make_episode()], decide, now=NOON)


def test_the_migrations_make_the_tables_that_the_code_knows(engine):
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
