"""Runs of the improvement pipeline."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

import structlog
from fastapi import APIRouter, Query
from fastapi.responses import PlainTextResponse
from opskit.contracts.runs import DEFAULT_TARGET, RunOrder
from opskit.errors import NotFound, Unavailable
from opskit.identity import InternalCaller

from trainer.dependencies import Cursor, Limit, PartsDep
from trainer.errors import RunUnderWay
from trainer.improvement.runs import Run
from trainer.improvement.stages import Stage
from trainer.ports import RunStore
from trainer.routes.docs import errors
from trainer.schemas import RunBody, RunList, RunShown
from trainer.steps.workspace import Workspace

log = structlog.get_logger(__name__)

router = APIRouter(tags=["runs"])

LONGEST_LOG = 200_000


@router.get("/v1/runs", operation_id="list_runs", summary="List runs", responses=errors())
def list_runs(parts: PartsDep, _: InternalCaller, limit: Limit = 100, cursor: Cursor = None) -> RunList:
    """Newest first, each with its stages."""
    page = parts.runs.page(limit=limit, before=cursor)
    return RunList(runs=[RunShown.of(run) for run in page.items], next_cursor=page.cursor)


@router.post("/v1/runs", operation_id="create_run", summary="Start a run", status_code=202, responses=errors(409))
def create_run(parts: PartsDep, caller: InternalCaller, body: RunBody | None = None) -> RunShown:
    """At most one is under way; a second is refused."""
    if under_way := parts.runs.unfinished(DEFAULT_TARGET):
        raise RunUnderWay(f"{under_way[0].id} is under way; one run at a time.")
    body = body or RunBody()
    reason = body.reason or "asked for by hand"
    order = RunOrder(run_id=f"run_{uuid.uuid4().hex[:24]}", reason=reason, knowledge_base=body.knowledge_base)
    run = Run(order, caller.key_id or "nobody", datetime.now(UTC))
    parts.runs.add(run)
    log.info("run_started_by_hand", run=run.id, who=run.started_by, reason=reason)
    tells: list[Callable[[], None]] = [lambda: parts.bridge.started(order), lambda: parts.queue.advance(run.id)]
    for tell in tells:
        try:
            tell()
        except Unavailable as exc:  # the worker takes up what nobody works on
            log.warning("run_not_announced", run=run.id, reason=exc.message)
    return RunShown.of(run)


@router.get("/v1/runs/{run_id}", operation_id="get_run", summary="Show one run", responses=errors(404))
def get_run(parts: PartsDep, _: InternalCaller, run_id: str) -> RunShown:
    """Its stages, and the gate's verdict with the numbers behind it."""
    run = _known(parts.runs, run_id)
    return RunShown.of(run, parts.runs.verdict(run_id))


@router.get(
    "/v1/runs/{run_id}/log",
    operation_id="get_run_log",
    summary="Read what a run says",
    response_class=PlainTextResponse,
    responses=errors(404),
)
def get_run_log(
    parts: PartsDep,
    _: InternalCaller,
    run_id: str,
    stage: Annotated[Stage | None, Query(description="One stage alone; all of them when left out.")] = None,
) -> PlainTextResponse:
    """The end of it, while it is being written too."""
    run = _known(parts.runs, run_id)
    work = Workspace(parts.runs_folder / run.id)
    texts = []
    for one in [stage] if stage else [record.stage for record in run.stages]:
        path = work.log(one.value)
        if path.exists():
            texts.append(path.read_text(encoding="utf-8", errors="replace"))
    return PlainTextResponse("".join(texts)[-LONGEST_LOG:])


def _known(runs: RunStore, run_id: str) -> Run:
    run = runs.get(run_id)
    if run is None:
        raise NotFound("There is no such run.", param="run_id")
    return run
