"""Incidents in a real SQLite file."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alert_bridge.adapters.sql import SqlIncidents
from alert_bridge.adapters.tables import Base
from alert_bridge.incidents import Decision, Verdict
from alert_bridge.runs import Automation
from opskit.contracts.runs import RunReport
from opskit.errors import Unavailable
from sqlalchemy import create_engine

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=6)
NEXT_DAY = NOON + timedelta(days=1)


@pytest.fixture
def database(any_database):
    return any_database


def all_of(store):
    return store.page(limit=1000, before=None).incidents


def decisions_of(handled):
    return [some.after.verdict.decision for some in handled]


def ignore(*_):
    return Verdict(Decision.IGNORED, "")


def test_an_episode_becomes_an_incident_and_a_repeated_message_changes_only_its_count(store, record, make_episode):
    (first,) = record(make_episode())
    (again,) = record(make_episode(), now=LATER)
    assert (first.before, first.is_new, again.is_new) == (None, True, False)
    assert all_of(store) == [again.after]
    kept = again.after
    assert (kept.id, kept.messages, kept.first_received, kept.last_received) == (first.after.id, 2, NOON, LATER)
    assert (kept.verdict.decision, kept.episode) == (Decision.IGNORED, make_episode())


def test_resolving_closes_the_incident(store, record, make_episode):
    record(make_episode())
    (closed,) = record(make_episode(resolved=True), now=LATER)
    assert closed.after.verdict.decision is Decision.RESOLVED
    assert all_of(store) == [closed.after]
    assert closed.after.episode.ends_at == NOON + timedelta(minutes=5)


def test_a_late_message_leaves_a_closed_incident_as_it_ended(store, record, make_episode):
    record(make_episode(resolved=True, job="first"))
    (late,) = record(make_episode(job="late"), now=LATER)
    assert not late.is_new
    (kept,) = all_of(store)
    assert (kept.closed, kept.episode.labels["job"], kept.messages) == (True, "first", 2)


def test_the_same_alert_firing_again_is_another_incident(store, record, make_episode):
    record(make_episode(resolved=True))
    record(make_episode(starts_at=LATER), now=LATER)
    assert [incident.closed for incident in all_of(store)] == [False, True]


def test_one_message_may_hold_an_episode_twice(store, record, make_episode):
    handled = record(make_episode(), make_episode(resolved=True))
    assert decisions_of(handled) == [Decision.IGNORED, Decision.RESOLVED]
    (incident,) = all_of(store)
    assert (incident.closed, incident.messages) == (True, 2)


def test_a_run_is_kept_with_the_decision_that_starts_it(store, runs, record, wish):
    (handled,) = record(wish())
    assert all_of(store) == [handled.after]
    run = handled.after.run
    assert run is not None
    assert (run.id, run.target, run.incident) == (wish().run_id, "reader", wish().incident_id)
    assert (run.started_at, run.ordered_at, run.outcome) == (NOON, None, None)
    assert runs.waiting() == [wish().order()]


def test_the_second_incident_of_a_message_joins_the_run_of_the_first_and_another_target_has_its_own(runs, record, wish):
    handled = record(wish(1), wish(2), wish(3, nexus_target="embedder"))
    assert decisions_of(handled) == [Decision.STARTED, Decision.JOINED, Decision.STARTED]
    assert [some.after.run.id for some in handled] == [wish(1).run_id, wish(1).run_id, wish(3).run_id]
    assert [order.target for order in runs.waiting()] == ["reader", "embedder"]


def test_an_alert_that_keeps_firing_gets_its_run_when_the_cooldown_is_over(runs, record, wish):
    record(wish(1))
    runs.end(wish(1).run_id, RunReport(outcome="rejected", finished_at=LATER), now=LATER)
    (cooling,) = record(wish(2), now=LATER)
    (started,) = record(wish(2), now=NEXT_DAY)
    assert decisions_of([cooling, started]) == [Decision.COOLDOWN, Decision.STARTED]
    assert started.is_new
    assert started.after.run.id == wish(2).run_id


def test_what_joined_a_run_that_ended_shows_it_until_it_gets_its_own(runs, record, wish):
    record(wish(1), wish(2))
    runs.end(wish(1).run_id, RunReport(outcome="rejected", finished_at=LATER), now=LATER)
    (cooling,) = record(wish(2), now=LATER)
    assert cooling.after.verdict.decision is Decision.COOLDOWN
    assert (cooling.after.run.id, cooling.after.run.outcome) == (wish(1).run_id, "rejected")
    (started,) = record(wish(2), now=NEXT_DAY)
    assert started.after.run.id == wish(2).run_id


def test_a_resolved_incident_still_shows_the_run_it_had(record, wish):
    record(wish())
    (closed,) = record(wish(resolved=True), now=LATER)
    assert (closed.after.closed, closed.after.run.id) == (True, wish().run_id)


def test_the_switch_is_known_to_the_next_decision(runs, record, wish):
    runs.set_automation(Automation(True, "key_1", None, NOON))
    assert decisions_of(record(wish())) == [Decision.IGNORED]
    runs.set_automation(Automation(False, "key_1", None, LATER))
    assert decisions_of(record(wish(), now=LATER)) == [Decision.STARTED]


def test_an_incident_whose_record_was_lost_orders_the_same_run_and_not_another(runs, record, wish):
    runs.end(wish().run_id, RunReport(outcome="promoted", finished_at=NOON), now=NOON)
    (handled,) = record(wish(), now=NEXT_DAY)
    assert (handled.after.run.id, handled.after.run.outcome) == (wish().run_id, "promoted")
    assert runs.waiting() == []


def test_all_or_none_of_a_message_is_kept_its_runs_included(store, runs, wish):
    def stumble(episode, known, target):
        if episode.fingerprint.endswith("3"):
            raise RuntimeError
        return Verdict(Decision.STARTED, "", episode.run_id)

    with pytest.raises(RuntimeError):
        store.record([wish(number) for number in range(5)], stumble, now=NOON)
    assert all_of(store) == []
    assert runs.waiting() == []


def test_thousands_of_alerts_in_one_message_are_kept(record, make_episode):
    message = [make_episode(number) for number in range(5_000)]
    assert sum(some.is_new for some in record(*message)) == 5_000
    assert sum(some.is_new for some in record(*message, now=LATER)) == 0


def test_messages_repeated_shuffled_and_at_once_make_one_incident_an_episode(store, record, make_episode):
    messages = [make_episode(number, resolved=resolved) for number in range(20) for resolved in (False, True)] * 5
    random.Random(7).shuffle(messages)
    with ThreadPoolExecutor(8) as pool:
        handled = [some for one in pool.map(record, messages) for some in one]
    assert len(all_of(store)) == 20
    assert all(incident.closed and incident.messages == 10 for incident in all_of(store))
    resolved = [some.after.id for some in handled if some.is_new and some.after.closed]
    assert sorted(resolved) == sorted(incident.id for incident in all_of(store))


def test_wishes_at_once_start_one_run_a_target(runs, record, wish):
    messages = [wish(number, nexus_target=f"target-{number % 3}") for number in range(12)] * 4
    random.Random(7).shuffle(messages)
    with ThreadPoolExecutor(8) as pool:
        handled = [some for one in pool.map(record, messages) for some in one]
    assert sorted(order.target for order in runs.waiting()) == ["target-0", "target-1", "target-2"]
    assert decisions_of(some for some in handled if some.is_new).count(Decision.STARTED) == 3
    assert len({some.after.run.id for some in handled}) == 3


def test_pages_show_every_incident_once_newest_first(store, record, make_episode):
    for number in range(5):
        record(make_episode(number))
    first = store.page(limit=3, before=None)
    second = store.page(limit=3, before=first.end)
    seen = [incident.episode.fingerprint for incident in [*first.incidents, *second.incidents]]
    assert seen == [f"{number:016x}" for number in (4, 3, 2, 1, 0)]
    assert second.cursor is None


def test_a_database_without_tables_is_unavailable(make_episode):
    with pytest.raises(Unavailable):
        SqlIncidents(create_engine("sqlite://")).record([make_episode()], ignore, now=NOON)


def test_the_migrations_make_the_tables_that_the_code_knows(engine):
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
