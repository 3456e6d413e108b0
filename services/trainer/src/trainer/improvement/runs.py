"""A run of the pipeline as plain values, and what may become of it. Pure."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from opskit.contracts.runs import Kind, Outcome, RunOrder

from trainer.improvement.stages import Stage, after


class Status(StrEnum):
    """Where a run or a stage of it stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Carrier(StrEnum):
    """Who carries a run out. Whoever took its order first does, to the end: two must not work on the same run."""

    WORKER = "worker"
    WORKFLOW = "workflow"


@dataclass(frozen=True)
class StageRecord:
    """One stage of a run. `says` is one line for a person: what came of it, or why it failed."""

    stage: Stage
    status: Status
    started_at: datetime
    finished_at: datetime | None = None
    attempts: int = 1
    says: str = ""

    @property
    def seconds(self) -> float | None:
        return (self.finished_at - self.started_at).total_seconds() if self.finished_at else None


@dataclass(frozen=True)
class Run:
    """One execution of the pipeline."""

    order: RunOrder
    started_by: str
    created_at: datetime
    stages: tuple[StageRecord, ...] = field(default=())
    outcome: Outcome | None = None
    finished_at: datetime | None = None
    says: str = ""
    release: str | None = None
    """The candidate's, once it has one."""
    reported: bool = False
    """Whether alert-bridge knows how it ended."""
    carrier: Carrier = Carrier.WORKER

    @property
    def id(self) -> str:
        return self.order.run_id

    @property
    def kind(self) -> Kind:
        return "training" if self.order.settings is None else "settings"

    @property
    def status(self) -> Status:
        if self.outcome is not None:
            return Status.FAILED if self.outcome == "failed" else Status.DONE
        return Status.RUNNING if self.stages else Status.QUEUED

    def record_of(self, stage: Stage) -> StageRecord | None:
        """What is known of a stage; None before its first attempt."""
        return next((one for one in self.stages if one.stage is stage), None)


MOST_ATTEMPTS = 3
"""Of one stage. What fails by its own fault fails again, and what a restart cut short deserves another try."""
MOST_WAITS = 60
"""Of one stage for a part that is away: with a minute between them, an hour."""


def next_stage(run: Run) -> Stage | None:
    """The stage to be done now: the first that is not done. None when the run has ended, or all is done."""
    if run.outcome is not None:
        return None
    stage: Stage | None = Stage.PREPARE
    while stage is not None and (record := run.record_of(stage)) is not None and record.status is Status.DONE:
        stage = after(stage)
    return stage


def is_cut_short_for_good(record: StageRecord) -> bool:
    """Whether a stage was begun as often as it may be, and not even its last attempt came to an end of its own."""
    return record.status is Status.RUNNING and record.attempts >= MOST_ATTEMPTS


def cut_short(record: StageRecord) -> str:
    """How the run of such a stage ends, for a person."""
    return f"{record.stage} was cut short {record.attempts} times"


def is_stale(run: Run, last_sign: datetime | None, *, now: datetime, patience: timedelta) -> bool:
    """Whether nobody works on a run that has not ended: its worker died, or the message was lost."""
    return run.outcome is None and now - (last_sign or run.created_at) > patience


@dataclass(frozen=True)
class RunTotals:
    """What Prometheus is told of all runs."""

    outcomes: dict[str, int]
    decisions: dict[str, int]
    stages: list[tuple[str, float]]
    """Each stage that was done, and the seconds it took."""
