"""What a workflow does about the run it carries out, beside its stages: it takes the order, and tells the end."""

from datetime import datetime

import structlog
from opskit.contracts.runs import RunOrder, RunReport
from opskit.errors import Unavailable

from trainer.improvement.runs import Carrier, Run
from trainer.pipeline import NotYet, give_up, report_ended
from trainer.ports import Bridge, RunStore
from trainer.working import BRIDGE

log = structlog.get_logger(__name__)

WORKFLOW = "workflow"
"""Who started a run that no incident asked for."""


class CarriedElsewhere(Exception):
    """Trainer's worker took the order before and carries the run out."""


def accept(runs: RunStore, bridge: Bridge, order: RunOrder, *, now: datetime) -> Run:
    """Take an order for the workflow that calls this; taken again, it is the same run, as it is now.

    Raises:
        CarriedElsewhere: the run is the worker's.
        NotYet: another run of the target has not ended; this one keeps its place in the row.
    """
    by = BRIDGE if order.incident else WORKFLOW
    if runs.add(Run(order, by, now, carrier=Carrier.WORKFLOW)):
        log.info("run_accepted", run=order.run_id, incident=order.incident, reason=order.reason)
        _announce(bridge, order)
    run = runs.get(order.run_id)
    assert run is not None, "it was kept a moment ago"
    if run.carrier is not Carrier.WORKFLOW:
        raise CarriedElsewhere(f"{run.id} is carried out by trainer's worker.")
    if run.outcome is None:
        runs.sign(run.id, now=now)  # while it waits it is not given up
        if (first := runs.unfinished(run.order.target)[0]).id != run.id:
            raise NotYet(f"{first.id} is under way; one run at a time.")
    return run


def report_end(runs: RunStore, bridge: Bridge, run_id: str, status: str, *, now: datetime) -> Run | None:
    """The workflow is over: its run is, too, whether it came to an end of its own or not. Raises Unavailable when
    alert-bridge does not take the report."""
    run = runs.get(run_id)
    if run is None:
        message = f"The workflow ended as {status} before it took the order."
        bridge.ended(run_id, RunReport(outcome="failed", finished_at=now, message=message))
        return None
    if run.carrier is Carrier.WORKFLOW and run.outcome is None:
        give_up(runs, run, f"The workflow ended as {status} before the run did.")
    report_ended(runs, bridge)
    return runs.get(run_id)


def _announce(bridge: Bridge, order: RunOrder) -> None:
    """An incident's run is known to alert-bridge; of another one it has to hear, so that none is started beside it."""
    if order.incident is not None:
        return
    try:
        bridge.started(order)
    except Unavailable as exc:
        log.warning("run_not_announced", run=order.run_id, reason=exc.message)
