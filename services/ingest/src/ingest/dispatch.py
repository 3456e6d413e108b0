"""Brings work that is in no queue into one: wishes made while the queue was away, retries that are due, documents of
a worker that died. Safe to run anywhere and often; a task too many finds nothing to do."""

from datetime import timedelta
from typing import Final

import structlog
from opskit.errors import Unavailable

from ingest.claims import Claims, Due
from ingest.ports import TaskQueue

log = structlog.get_logger(__name__)

AT_ONCE: Final = 500
SURELY_TAKEN: Final = timedelta(seconds=15)
"""A task that is not worked on so long after it was queued, while the queue is empty, was lost."""


def dispatch(claims: Claims, queue: TaskQueue) -> int:
    """Queue what is due; how many documents that were."""
    if freed := claims.take_back_silent():
        log.warning("leases_taken_back", count=freed)
    queued = 0
    try:
        if claims.is_waiting(SURELY_TAKEN) and queue.depth() == 0:
            claims.distrust_queue(SURELY_TAKEN)
        for due in claims.due(AT_ONCE):
            # First the mark, then the task: a worker may have taken and put back the document before this returns.
            claims.set_enqueued(due.document_id, enqueued=True)
            _submit(claims, queue, due)
            queued += 1
    except Unavailable as exc:
        log.warning("queue_is_away", reason=exc.message)
    return queued


def _submit(claims: Claims, queue: TaskQueue, due: Due) -> None:
    try:
        queue.submit(due.document_id, urgent=due.is_removal)
    except Unavailable:
        claims.set_enqueued(due.document_id, enqueued=False)
        raise
