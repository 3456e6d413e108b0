"""The door for S3 event notifications (MinIO, RustFS, AWS through a forwarder)."""

from typing import Final

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool

from ingest import metrics
from ingest.dependencies import AppServices, Services, body_within, require_events_token
from ingest.events import hinted_documents
from ingest.schemas import ErrorBody, EventReceipt

MAX_EVENT_BYTES: Final = 4 * 1024 * 1024

router = APIRouter(
    tags=["events"],
    dependencies=[Depends(require_events_token)],
    responses={400: {"model": ErrorBody}, 401: {"model": ErrorBody}},
)


@router.head("/events/s3", operation_id="probe_events", summary="Is the door there? (MinIO asks before it sends)")
def probe_events() -> Response:
    """Yes."""
    return Response()


@router.post(
    "/events/s3",
    operation_id="receive_events",
    summary="Take an S3 event notification",
    status_code=202,
    responses={413: {"model": ErrorBody}, 503: {"model": ErrorBody, "description": "Send it again later."}},
)
async def receive_events(services: AppServices, request: Request) -> EventReceipt:
    """Events are hints: the named objects are looked at in the store, whatever the event says happened to them."""
    body = await body_within(request, MAX_EVENT_BYTES)
    return await run_in_threadpool(_look, services, body)


def _look(services: Services, body: bytes) -> EventReceipt:
    settings = services.settings
    names = hinted_documents(body, bucket=settings.s3_bucket if settings.store == "s3" else None)
    changed = sum(services.documents.notice(name) for name in names)
    metrics.CHANGES_NOTICED.labels("event").inc(changed)
    return EventReceipt(noticed=len(names), changed=changed)
