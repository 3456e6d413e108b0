"""When a run has ended."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from alert_bridge.runs import Run, end_of
from hypothesis import given
from hypothesis import strategies as st
from opskit.contracts.runs import RunReport

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def run(*, ordered_at: datetime | None = NOON, finished_at: datetime | None = None) -> Run:
    return Run("run_0123456789", "reader", None, NOON, ordered_at, finished_at, None, "")


@pytest.mark.parametrize(
    ("known", "ended"),
    [
        (run(), NOON + HOUR),
        (run(ordered_at=None), None),
        (run(ordered_at=NOON + HOUR), None),
        (run(finished_at=NOON + timedelta(minutes=1)), NOON + timedelta(minutes=1)),
        (run(finished_at=NOON + timedelta(hours=2)), NOON + timedelta(hours=2)),
    ],
)
def test_a_run_ends_when_it_is_reported_or_else_at_its_deadline(known, ended):
    assert known.ended_at(now=NOON + HOUR, deadline=HOUR) == ended


@given(said=st.datetimes(timezones=st.none() | st.just(UTC) | st.just(timezone(timedelta(hours=14)))))
def test_whatever_a_clock_said_a_run_ended_between_its_start_and_now(said):
    report = RunReport(outcome="failed", finished_at=said)
    assert NOON - HOUR <= end_of(report, started_at=NOON - HOUR, now=NOON) <= NOON
    assert end_of(report, started_at=None, now=NOON).astimezone(UTC) <= NOON


def test_a_time_without_a_zone_is_taken_as_utc():
    report = RunReport(outcome="failed", finished_at=datetime(2026, 11, 20, 11, 30))
    assert end_of(report, started_at=NOON - HOUR, now=NOON) == NOON - timedelta(minutes=30)
