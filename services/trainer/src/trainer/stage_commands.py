"""The commands that a workflow is made of: take the order, do a stage, tell the end.

Their exit codes say what the caller may do: 0 done; 75 try it again later; anything else would end the same way again.
"""

import os
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from opskit.contracts.runs import RunOrder
from opskit.errors import Unavailable
from opskit.logging import configure_logging
from opskit.settings import read_settings

from trainer.improvement.stages import Stage

if TYPE_CHECKING:
    from trainer.improvement.runs import Run
    from trainer.wiring import Wiring

MISSING: Final = (
    "Training needs PyTorch and its friends, which serving does not ({missing} is missing). Install them once: make "
    "training-tools"
)
FOR_GOOD: Final = 1
NOT_YET: Final = 2
TRY_AGAIN: Final = os.EX_TEMPFAIL
UNDER_WAY: Final = "under-way"
"""What `--outcome-to` says of a run that has not ended."""

PURPOSES: Final = {
    Stage.PREPARE: "Make examples of votes and corrections, and keep some apart to measure on.",
    Stage.RETRAIN: "Fine-tune the champion's reader on them (LoRA), and export it for the engine that serves it.",
    Stage.GOLD: "Ask champion and candidate general questions: is anything unlearnt?",
    Stage.SPECIFIC: "Ask both the questions kept apart: is anything learnt?",
    Stage.HALLUCINATION: "Ask both what no passage answers: is anything made up?",
    Stage.FACTCHECK: "Compare both with the documents: is anything said that they do not say?",
    Stage.SUBJECTS: "Compare both subject by subject: who gained and who lost?",
    Stage.LOG_METRICS: "Keep figures, data sets and reports in MLflow.",
    Stage.GATE: "Decide by all of that whether the candidate may serve.",
    Stage.LOG_MODEL: "Make a release of it, registered in MLflow.",
    Stage.DEPLOY: "Try it on a share of the conversations; promote it or roll it back.",
}

RunId = Annotated[str, typer.Option(help="The run, as `run_…`.")]
OutcomeFile = Annotated[
    Path | None, typer.Option(help=f"Write here how the run ended, or `{UNDER_WAY}`: for a workflow to go by.")
]
KeepLog = Annotated[
    bool, typer.Option("--keep-log", help="Keep what is said in the run's folder, as trainer's worker does.")
]
OF_WORKFLOWS: Final = "For workflows, around the stages"


def add_stage_commands(cli: typer.Typer) -> None:
    """One command for each stage, named as in a workflow, and those around them."""
    cli.command(rich_help_panel=OF_WORKFLOWS)(accept)
    for stage, purpose in PURPOSES.items():
        _add_stage(cli, stage, purpose)
    cli.command(rich_help_panel=OF_WORKFLOWS)(join_tuning)
    cli.command(rich_help_panel=OF_WORKFLOWS)(report_end)


def _add_stage(cli: typer.Typer, stage: Stage, purpose: str) -> None:
    def command(run: RunId, outcome_to: OutcomeFile = None, keep_log: KeepLog = False) -> None:
        with closing(wired()) as wiring:
            _say_outcome(do(wiring, run, stage, keep_log=keep_log), outcome_to)

    cli.command(stage.value, help=purpose, rich_help_panel="Stages of a run, in order")(command)


def accept(
    run: RunId,
    order: Annotated[
        str, typer.Option(help="The order as JSON, in base64 or not; without one, a run that nobody ordered.")
    ] = "{}",
    outcome_to: OutcomeFile = None,
) -> None:
    """Take an order for a workflow: the worker leaves the run alone from now on, and one run at a time is under way."""
    from trainer.carrying import CarriedElsewhere
    from trainer.carrying import accept as accept_order
    from trainer.pipeline import NotYet

    asked = _order(run, order)
    with closing(wired()) as wiring:
        try:
            known = accept_order(wiring.runs, wiring.bridge, asked, now=datetime.now(UTC))
        except CarriedElsewhere as exc:
            raise _failure(exc, FOR_GOOD) from exc
        except (NotYet, Unavailable) as exc:
            raise _failure(exc, TRY_AGAIN) from exc
    _say_outcome(known, outcome_to)


def join_tuning(run: RunId) -> None:
    """Take part in the training of a language model that retrain-model launches on another machine."""
    from subprocess import CalledProcessError

    from trainer.steps.joining import join
    from trainer.steps.workspace import Workspace

    with closing(wired()) as wiring:
        try:
            join(wiring.runs, run, Workspace(wiring.settings.runs_folder / run), typer.echo)
        except (CalledProcessError, Unavailable) as exc:
            raise _failure(exc, TRY_AGAIN) from exc


def report_end(run: RunId, status: Annotated[str, typer.Option(help="How the workflow ended.")]) -> None:
    """End a workflow's run that did not come to an end itself, and tell alert-bridge."""
    from trainer.carrying import report_end as report

    with closing(wired()) as wiring:
        try:
            known = report(wiring.runs, wiring.bridge, run, status, now=datetime.now(UTC))
        except Unavailable as exc:
            raise _failure(exc, TRY_AGAIN) from exc
    typer.echo(f"{run}: {known.outcome}: {known.says}" if known else f"{run}: failed, before it was known here")


def wired() -> "Wiring":
    """What the stages work with, by the settings."""
    from trainer.settings import Settings
    from trainer.wiring import Wiring

    settings = read_settings(Settings)
    configure_logging("trainer", level=settings.log_level, json=settings.log_json)
    return Wiring(settings)


def do(wiring: "Wiring", run: str, stage: Stage, *, keep_log: bool = False) -> "Run":
    """One stage of a run; raises typer.Exit when it fails, or the run has failed."""
    from trainer.pipeline import NotYet, do_stage
    from trainer.steps.workspace import Workspace

    log = Workspace(wiring.settings.runs_folder / run).log(stage.value) if keep_log else None

    def say(line: str) -> None:
        told = f"{datetime.now(UTC):%H:%M:%S}  {line}"
        typer.echo(told)
        if log is not None:
            with log.open("a", encoding="utf-8") as out:
                out.write(f"{told}\n")

    try:
        known = do_stage(wiring.tools, run, stage, wiring.settings.runs_folder, say)
    except ModuleNotFoundError as missing:
        raise typer.Exit(say_missing(missing)) from missing
    except NotYet as exc:
        raise _failure(exc, NOT_YET) from exc
    except Exception as exc:  # the process's boundary: what it was is in SQL and in the log
        raise _failure(f"{stage} failed: {exc}", FOR_GOOD if _is_over(wiring, run) else TRY_AGAIN) from exc
    if known.outcome == "failed":
        raise _failure(f"{run} has failed: {known.says}", FOR_GOOD)
    return known


def say_missing(missing: ModuleNotFoundError) -> int:
    """In one line what to install; gives the exit code."""
    typer.echo(MISSING.format(missing=missing.name), err=True)
    return FOR_GOOD


def _is_over(wiring: "Wiring", run: str) -> bool:
    """Whether the failure ended the run. When SQL cannot say, it is away, and that is worth another try."""
    try:
        known = wiring.runs.get(run)
    except Unavailable:
        return False
    return known is not None and known.outcome is not None


def _order(run: str, text: str) -> RunOrder:
    import json
    from base64 import b64decode

    from pydantic import ValidationError

    try:
        given = json.loads(text if text.startswith("{") else b64decode(text, validate=True))
        fields: dict[str, Any] = {"run_id": run, "reason": "asked for by a workflow", **given}
        order = RunOrder.model_validate(fields)
    except (ValueError, TypeError, ValidationError) as exc:
        raise _failure(f"this is no order: {exc}", FOR_GOOD) from exc
    if order.run_id != run:
        raise _failure(f"the order is for {order.run_id}, not for {run}", FOR_GOOD)
    return order


def _say_outcome(run: "Run", file: Path | None) -> None:
    if file is not None:
        file.write_text(run.outcome or UNDER_WAY, encoding="utf-8")


def _failure(why: object, code: int) -> typer.Exit:
    typer.echo(f"trainer: {why}", err=True)
    return typer.Exit(code)
