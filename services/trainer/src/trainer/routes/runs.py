"""Runs of the improvement pipeline."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import PlainTextResponse
from opskit.contracts.runs import RunOrder
from opskit.errors import NotFound
from opskit.identity import InternalCaller

from trainer.dependencies import Cursor, Limit, PartsDep
from trainer.improvement.runs import Run
from trainer.improvement.stages import Stage
from trainer.ports import RunStore
from trainer.routes.docs import errors
from trainer.schemas import RunBody, RunList, RunShown
from trainer.starting import add_alone, announce, new_run_id
from trainer.steps.workspace import Workspace

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
    body = body or RunBody()
    reason = body.reason or "asked for by hand"
    order = RunOrder(run_id=new_run_id(), reason=reason, knowledge_base=body.knowledge_base)
    run = add_alone(parts.runs, order, by=caller.key_id or "nobody")
    announce(run, parts.bridge, parts.queue)
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
