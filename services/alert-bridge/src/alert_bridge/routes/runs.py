"""Where trainer tells of runs. Anything may be told as often as it likes."""

from datetime import UTC, datetime
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Path
from opskit.contracts.runs import RunOrder, RunReport
from opskit.identity import require_internal_token

from alert_bridge.dependencies import Runs
from alert_bridge.routes.docs import errors
from alert_bridge.schemas import RunShown

log = structlog.get_logger(__name__)

router = APIRouter(
    prefix="/internal/runs", tags=["runs"], dependencies=[Depends(require_internal_token)], responses=errors()
)

RunId = Annotated[str, Path(pattern=r"^run_[a-z0-9]{8,40}$")]


@router.post("", operation_id="note_run", summary="Tell of a run that trainer has")
def note_run(store: Runs, order: RunOrder) -> RunShown:
    """A run that was not ordered here, a manual one for example, is in flight from now on. One that has ended stays
    ended."""
    run = store.note(order, now=datetime.now(UTC))
    log.info("run_noted", run=run.id, target=run.target)
    return RunShown.of(run)


@router.put("/{run_id}", operation_id="end_run", summary="Tell how a run ended")
def end_run(store: Runs, run_id: RunId, report: RunReport) -> RunShown:
    """The first report of a run counts. One that nobody knew here is kept too, as a run of the default target, so that
    its cooldown holds."""
    run = store.end(run_id, report, now=datetime.now(UTC))
    log.info("run_ended", run=run.id, target=run.target, outcome=run.outcome, told=report.outcome)
    return RunShown.of(run)
