"""Runs of the improvement pipeline. This version has none, and says so."""

from fastapi import APIRouter
from opskit.errors import NotFound
from opskit.identity import InternalCaller

from trainer import metrics
from trainer.errors import NotInThisVersion
from trainer.routes.docs import errors
from trainer.schemas import RunList

router = APIRouter(tags=["runs"])

# Where the only answer is a refusal, its status is the route's own, so that the OpenAPI page promises nothing else.


@router.get("/v1/runs", operation_id="list_runs", summary="List runs", responses=errors())
def list_runs(_: InternalCaller) -> RunList:
    """There are none yet."""
    return RunList(runs=[])


@router.post("/v1/runs", operation_id="create_run", summary="Start a run", status_code=409, responses=errors(409))
def create_run(_: InternalCaller) -> None:
    """Refused: nothing would run."""
    metrics.RUNS.labels("refused").inc()
    raise NotInThisVersion(
        "The improvement pipeline is not part of this version, so no run was started. Feedback is kept for it."
    )


@router.get(
    "/v1/runs/{run_id}",
    operation_id="get_run",
    summary="Show one run",
    status_code=404,
    responses=errors(404),
)
def get_run(_: InternalCaller, run_id: str) -> None:
    """There are none yet."""
    raise NotFound("There is no such run.", param="run_id")
