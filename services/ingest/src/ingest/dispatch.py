"""Brings work that is in no queue into one: wishes made while the queue was away, retries that are due, documents of
a worker that died. Safe to run anywhere and often; a task too many finds nothing to do."""

import structlog
from opskit.errors import Unavailable

from ingest.claims import Claims
from ingest.ports import TaskQueue

log = structlog.get_logger(__name__)

AT_ONCE = 500


def dispatch(claims: Claims, queue: TaskQueue) -> int:
    """Queue what is due; how many documents that were."""
    if freed := claims.take_back_silent():
        log.warning("leases_taken_back", count=freed)
    queued = 0
    for due in claims.due(AT_ONCE):
        try:
            queue.submit(due.document_id, urgent=due.is_removal)
        except Unavailable as exc:
            log.warning("queue_is_away", reason=exc.message)
            break
        claims.set_enqueued(due.document_id, enqueued=True)
        queued += 1
    return queued
