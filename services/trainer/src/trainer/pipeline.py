"""A run from stage to stage: what is next, done once, and told to whoever waits for it."""

import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import structlog
from opskit.contracts.runs import RunReport
from opskit.errors import Unavailable

from trainer.improvement.runs import (
    MOST_ATTEMPTS,
    MOST_WAITS,
    Carrier,
    Run,
    Status,
    cut_short,
    is_cut_short_for_good,
    next_stage,
)
from trainer.improvement.stages import Stage
from trainer.ports import Bridge, RunStore
from trainer.signing import Signing
from trainer.steps import evaluations
from trainer.steps.gate import gate
from trainer.steps.log_model import log_model
from trainer.steps.log_model_metrics import log_model_metrics
from trainer.steps.model_deployment import model_deployment
from trainer.steps.prepare_data import prepare_data
from trainer.steps.retrain_model import retrain_model
from trainer.steps.settings_alone import nothing_to_train, prepare_settings
from trainer.steps.tools import Done, Say, StageFailed, Tools
from trainer.steps.workspace import Workspace

log = structlog.get_logger(__name__)

WORK: Mapping[Stage, Callable[[Tools, Run, Workspace, Say], Done]] = {
    Stage.PREPARE: prepare_data,
    Stage.RETRAIN: retrain_model,
    Stage.GOLD: evaluations.benchmark_gold,
    Stage.SPECIFIC: evaluations.benchmark_specific,
    Stage.HALLUCINATION: evaluations.hallucination,
    Stage.FACTCHECK: evaluations.factcheck,
    Stage.SUBJECTS: evaluations.subject_matter,
    Stage.LOG_METRICS: log_model_metrics,
    Stage.GATE: gate,
    Stage.LOG_MODEL: log_model,
    Stage.DEPLOY: model_deployment,
}

WORK_ON_SETTINGS: Mapping[Stage, Callable[[Tools, Run, Workspace, Say], Done]] = {
    Stage.PREPARE: prepare_settings,
    Stage.RETRAIN: nothing_to_train,
}
"""What a run does in place of the above when settings alone are to change."""


class NotYet(Exception):
    """A stage cannot be done because one before it is not; the message says which."""


def do_stage(tools: Tools, run_id: str, stage: Stage, runs_folder: Path, say: Say) -> Run:
    """Do one stage of a run, or pass over it when it is done already; returns the run as it is then.

    Raises:
        NotYet: a stage before it is missing.
        Exception: whatever went wrong, after it was written down; the stage may be tried again.
    """
    run = _known(tools.runs, run_id)
    record = run.record_of(stage)
    if run.outcome is not None or (record is not None and record.status is Status.DONE):
        say(f"{stage} is done already")
        return run
    if (expected := next_stage(run)) is not stage:
        raise NotYet(f"{expected} comes before {stage}")
    # A workflow that starts a killed stage again knows nothing of those before; the worker looks when it sees one die.
    if run.carrier is Carrier.WORKFLOW and record is not None and is_cut_short_for_good(record):
        give_up(tools.runs, run, cut_short(record))
        raise StageFailed(cut_short(record))
    attempt = tools.runs.begin(run_id, stage, now=_now())
    say(f"{stage} (attempt {attempt})")
    try:
        with Signing(lambda: tools.runs.sign(run_id, now=_now())):
            done = _work(run, stage)(tools, run, Workspace(runs_folder / run_id), say)
    except Exception as exc:
        _failed(tools.runs, run_id, stage, attempt, exc, say)
        raise
    tools.runs.finish(run_id, stage, Status.DONE, done.says, now=_now())
    say(done.says)
    if done.outcome is not None or stage is Stage.DEPLOY:
        tools.runs.end(run_id, done.outcome or "promoted", done.says, now=_now())
    return _known(tools.runs, run_id)


def report_ended(runs: RunStore, bridge: Bridge) -> None:
    """Tell alert-bridge of every run that ended and that it does not know to have ended. Raises Unavailable."""
    for run in runs.unreported():
        assert run.outcome is not None
        assert run.finished_at is not None
        bridge.ended(run.id, RunReport(outcome=run.outcome, finished_at=run.finished_at, message=run.says[:1000]))
        runs.reported(run.id)
        log.info("run_reported", run=run.id, outcome=run.outcome)


def give_up(runs: RunStore, run: Run, why: str) -> None:
    """End a run that cannot go on."""
    runs.end(run.id, "failed", why, now=_now())
    log.error("run_failed", run=run.id, reason=why)


def _work(run: Run, stage: Stage) -> Callable[[Tools, Run, Workspace, Say], Done]:
    if run.kind == "settings" and stage in WORK_ON_SETTINGS:
        return WORK_ON_SETTINGS[stage]
    return WORK[stage]


def _failed(runs: RunStore, run_id: str, stage: Stage, attempt: int, exc: Exception, say: Say) -> None:
    tries = MOST_WAITS if isinstance(exc, Unavailable) else MOST_ATTEMPTS
    hopeless = isinstance(exc, StageFailed) or attempt >= tries
    why = str(exc) if isinstance(exc, StageFailed | Unavailable) else f"{type(exc).__name__}: {exc}"
    if not isinstance(exc, StageFailed | Unavailable):
        say(traceback.format_exc())
    runs.finish(run_id, stage, Status.FAILED, why[:2000], now=_now())
    if hopeless:
        runs.end(run_id, "failed", f"{stage}: {why}"[:2000], now=_now())


def _known(runs: RunStore, run_id: str) -> Run:
    run = runs.get(run_id)
    if run is None:
        raise NotYet(f"There is no run {run_id}; start one with: python -m trainer start")
    return run


def _now() -> datetime:
    return datetime.now(UTC)
