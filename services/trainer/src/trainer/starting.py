"""Runs that a person starts."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime

import structlog
from opskit.contracts.runs import RunOrder
from opskit.errors import Unavailable

from trainer.errors import RunUnderWay
from trainer.improvement.runs import Run
from trainer.ports import Bridge, RunQueue, RunStore

log = structlog.get_logger(__name__)


def new_run_id() -> str:
    """One that nobody has."""
    return f"run_{uuid.uuid4().hex[:24]}"


def add_alone(runs: RunStore, order: RunOrder, *, by: str) -> Run:
    """Keep the run of an order. Raises RunUnderWay: another one has not ended."""
    if under_way := runs.unfinished(order.target):
        raise RunUnderWay(f"{under_way[0].id} is under way; one run at a time.")
    run = Run(order, by, datetime.now(UTC))
    runs.add(run)
    log.info("run_started_by_hand", run=run.id, kind=run.kind, who=by, reason=order.reason)
    return run


def announce(run: Run, bridge: Bridge, queue: RunQueue) -> None:
    """Tell alert-bridge and the worker."""
    tells: list[Callable[[], None]] = [lambda: bridge.started(run.order), lambda: queue.advance(run.id)]
    for tell in tells:
        try:
            tell()
        except Unavailable as exc:  # the worker takes up what nobody works on
            log.warning("run_not_announced", run=run.id, reason=exc.message)
