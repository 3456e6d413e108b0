"""Runs of the improvement pipeline as plain values: what alert-bridge knows of them, and the switch that stops it from
starting more."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from opskit.contracts.runs import Outcome, RunReport

_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Run:
    """One run. `started_at` is when it was decided, or told of by trainer; `ordered_at` when trainer had its order;
    `finished_at` and `outcome` are as reported."""

    id: str
    target: str
    incident: str | None
    started_at: datetime | None
    ordered_at: datetime | None
    finished_at: datetime | None
    outcome: Outcome | None
    message: str

    def ended_at(self, *, now: datetime, deadline: timedelta) -> datetime | None:
        """When it ended; None while it is in flight. One that is not reported within `deadline` is lost, and ended at
        that moment. One that still waits for the queue cannot be lost yet."""
        if self.finished_at is not None:
            return self.finished_at
        if self.ordered_at is None or now < self.ordered_at + deadline:
            return None
        return self.ordered_at + deadline


@dataclass(frozen=True)
class Automation:
    """Whether alerts may start runs, and who said so last."""

    paused: bool = False
    by: str | None = None
    reason: str | None = None
    changed_at: datetime | None = None


@dataclass(frozen=True)
class Target:
    """What runs improve, as far as a decision needs to know. `unfinished` is, of the runs that nobody reported, the one
    that is in flight the longest from now; `last_finish` is of those that were reported."""

    name: str
    unfinished: Run | None
    last_finish: datetime | None
    automation: Automation

    def in_flight(self, *, now: datetime, deadline: timedelta) -> Run | None:
        """The run that is under way."""
        if self.unfinished is None or self.unfinished.ended_at(now=now, deadline=deadline) is not None:
            return None
        return self.unfinished

    def last_end(self, *, now: datetime, deadline: timedelta) -> datetime | None:
        """When the last run ended, whether it was reported or lost."""
        lost = self.unfinished.ended_at(now=now, deadline=deadline) if self.unfinished is not None else None
        return max((end for end in (self.last_finish, lost) if end is not None), default=None)


def end_of(report: RunReport, *, started_at: datetime | None, now: datetime) -> datetime:
    """When the reported run ended by our clock: trainer's may be wrong, and a cooldown must neither be void nor last
    for ever because of it."""
    said = report.finished_at
    aware = said if said.tzinfo is not None else said.replace(tzinfo=UTC)
    return min(max(aware, started_at or _LONG_AGO), now)
