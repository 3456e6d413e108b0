"""Where Alertmanager calls."""

from datetime import UTC, datetime

from fastapi import APIRouter, Depends
from fastapi.concurrency import run_in_threadpool
from opskit.errors import InvalidRequest
from pydantic import ValidationError

from alert_bridge import metrics
from alert_bridge.decide import decide
from alert_bridge.dependencies import Body, Incidents, require_webhook_token
from alert_bridge.ports import IncidentStore
from alert_bridge.routes.docs import errors
from alert_bridge.schemas import WebhookMessage, WebhookReceipt

router = APIRouter(tags=["webhooks"])

_REQUEST_BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {"type": "object"},
            "example": {
                "version": "4",
                "alerts": [
                    {
                        "status": "firing",
                        "labels": {"alertname": "NexusServiceDown", "severity": "critical", "job": "rag"},
                        "annotations": {"summary": "rag is down"},
                        "startsAt": "2026-11-20T12:00:00.000Z",
                        "endsAt": "0001-01-01T00:00:00Z",
                        "fingerprint": "a1b2c3d4e5f60718",
                    }
                ],
            },
        }
    },
}


@router.post(
    "/webhooks/alertmanager",
    operation_id="receive_alerts",
    summary="Take a message of Alertmanager",
    dependencies=[Depends(require_webhook_token)],
    responses=errors(413),
    openapi_extra={"requestBody": _REQUEST_BODY},
)
async def receive_alerts(store: Incidents, body: Body) -> WebhookReceipt:
    """Everything is kept when this answers 200. The same message may come as often as it likes."""
    # A message may hold thousands of alerts: reading it would hold up the event loop.
    return await run_in_threadpool(_receive, store, body)


def _receive(store: IncidentStore, body: bytes) -> WebhookReceipt:
    try:
        message = WebhookMessage.model_validate_json(body)
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidRequest(f"{where or 'body'}: {first['msg']}", param=where or None) from exc
    now = datetime.now(UTC)
    decided = store.record([alert.episode(now=now) for alert in message.alerts], decide, now=now)
    metrics.count(decided)
    return WebhookReceipt(alerts=len(message.alerts), decided=len(decided))
