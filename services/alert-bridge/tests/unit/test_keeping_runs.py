"""Runs and the switch in a real SQLite file."""

from datetime import UTC, datetime, timedelta

import pytest
from alert_bridge.adapters.sql_runs import SqlRuns
from alert_bridge.incidents import Decision
from alert_bridge.runs import Automation
from opskit.contracts.runs import RunOrder, RunReport
from opskit.errors import Unavailable
from sqlalchemy import create_engine

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=30)
NEXT_DAY = NOON + timedelta(days=1)
MANUAL = RunOrder(run_id="run_manual0001", target="reader", reason="by hand")


@pytest.fixture
def database(any_database):
    return any_database


def report(outcome="promoted", finished_at=LATER, message=""):
    return RunReport(outcome=outcome, finished_at=finished_at, message=message)


def decision(record, episode, now):
    (handled,) = record(episode, now=now)
    return handled.after.verdict.decision


def test_a_run_waits_until_it_is_handed_over(runs, record, wish):
    record(wish())
    assert runs.waiting() == [wish().order()]
    runs.mark_ordered(wish().run_id, now=LATER)
    assert runs.waiting() == []
    (handled,) = record(wish(), now=NEXT_DAY)
    assert handled.after.run.ordered_at == LATER


def test_marking_a_run_twice_keeps_the_first_time(runs, record, wish):
    record(wish())
    runs.mark_ordered(wish().run_id, now=LATER)
    runs.mark_ordered(wish().run_id, now=NEXT_DAY)
    assert runs.end(wish().run_id, report(), now=NEXT_DAY).ordered_at == LATER


def test_the_deadline_goes_from_the_moment_trainer_had_the_order(runs, record, wish):
    record(wish())
    assert decision(record, wish(2), NEXT_DAY) is Decision.JOINED
    runs.mark_ordered(wish().run_id, now=NEXT_DAY)
    assert decision(record, wish(3), NEXT_DAY + timedelta(hours=2, minutes=59)) is Decision.JOINED
    assert decision(record, wish(4), NEXT_DAY + timedelta(hours=3)) is Decision.COOLDOWN
    assert decision(record, wish(5), NEXT_DAY + timedelta(hours=9)) is Decision.STARTED


def test_a_report_ends_a_run_and_the_first_one_counts(runs, record, wish):
    record(wish())
    ended = runs.end(wish().run_id, report("rejected", message="no better"), now=NEXT_DAY)
    assert (ended.outcome, ended.finished_at, ended.message) == ("rejected", LATER, "no better")
    assert runs.end(wish().run_id, report("promoted", finished_at=NEXT_DAY), now=NEXT_DAY) == ended
    assert runs.waiting() == []


def test_a_run_that_reports_after_it_was_given_up_is_believed(runs, record, wish):
    record(wish())
    runs.mark_ordered(wish().run_id, now=NOON)
    late = NOON + timedelta(hours=8)
    assert runs.end(wish().run_id, report("promoted", finished_at=late), now=late).finished_at == late
    assert decision(record, wish(2), NOON + timedelta(hours=10)) is Decision.COOLDOWN


def test_the_report_of_a_run_that_nobody_knew_starts_a_cooldown(runs, record, wish):
    ended = runs.end("run_unknown001", report(), now=LATER)
    assert (ended.target, ended.started_at, ended.incident) == ("reader", None, None)
    assert decision(record, wish(), LATER) is Decision.COOLDOWN


def test_a_manual_run_is_in_flight_until_it_is_reported_and_never_handed_over(runs, record, wish):
    noted = runs.note(MANUAL, now=NOON)
    assert (noted.started_at, noted.ordered_at) == (NOON, NOON)
    assert runs.waiting() == []
    assert decision(record, wish(), LATER) is Decision.JOINED
    runs.end(MANUAL.run_id, report(), now=LATER)
    assert decision(record, wish(), LATER) is Decision.COOLDOWN


def test_telling_of_a_run_again_changes_nothing(runs):
    noted = runs.note(MANUAL, now=NOON)
    assert runs.note(MANUAL.model_copy(update={"target": "embedder"}), now=LATER) == noted


def test_trainer_having_our_order_is_as_good_as_having_handed_it_over(runs, record, wish):
    record(wish())
    assert runs.note(wish().order(), now=LATER).ordered_at == LATER
    assert runs.waiting() == []


def test_an_order_that_comes_after_its_report_says_the_target_and_starts_nothing(runs, record, wish):
    runs.end(MANUAL.run_id, report(), now=LATER)
    noted = runs.note(MANUAL.model_copy(update={"target": "embedder"}), now=NEXT_DAY)
    assert (noted.target, noted.outcome, noted.finished_at) == ("embedder", "promoted", LATER)
    assert runs.waiting() == []
    assert decision(record, wish(), LATER) is Decision.STARTED


def test_while_one_waits_and_another_is_under_way_both_are_in_flight(runs, record, wish):
    record(wish())
    runs.note(MANUAL, now=LATER)
    (handled,) = record(wish(2), now=NEXT_DAY)
    assert (handled.after.verdict.decision, handled.after.run.id) == (Decision.JOINED, wish().run_id)


def test_what_no_database_can_keep_is_left_out_of_a_message(runs):
    ended = runs.end(MANUAL.run_id, report(message="a\0b" + "x" * 10_000), now=NEXT_DAY)
    assert ended.message.startswith("abx")
    assert len(ended.message) == 4000


def test_the_switch_is_as_it_was_turned_last(runs):
    assert runs.automation() == Automation(paused=False, by=None, reason=None, changed_at=None)
    for turned in (Automation(True, "key_1", "exams", NOON), Automation(False, "key_2", None, LATER)):
        runs.set_automation(turned)
        assert runs.automation() == turned


def test_a_database_without_tables_is_unavailable():
    runs = SqlRuns(create_engine("sqlite://"))
    for ask in (runs.waiting, runs.automation, lambda: runs.note(MANUAL, now=NOON)):
        with pytest.raises(Unavailable):
            ask()
