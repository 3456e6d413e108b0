"""Where Alertmanager calls."""

from datetime import UTC, datetime
from functools import partial

import structlog
from fastapi import APIRouter, Depends
from fastapi.concurrency import run_in_threadpool
from opskit.errors import InvalidRequest
from pydantic import ValidationError

from alert_bridge import metrics
from alert_bridge.decide import Policy, decide
from alert_bridge.dependencies import Body, Incidents, RunDispatcher, RunPolicy, require_webhook_token
from alert_bridge.incidents import Decision, Handled
from alert_bridge.ports import IncidentStore
from alert_bridge.routes.docs import errors
from alert_bridge.schemas import WebhookMessage, WebhookReceipt

log = structlog.get_logger(__name__)

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
async def receive_alerts(store: Incidents, dispatcher: RunDispatcher, policy: RunPolicy, body: Body) -> WebhookReceipt:
    """Everything is kept when this answers 200, a run that was decided included; it is handed over afterwards. The same
    message may come as often as it likes."""
    # A message may hold thousands of alerts: reading it would hold up the event loop.
    handled = await run_in_threadpool(_receive, store, policy, body)
    decided = [some.after for some in handled if some.is_new]
    if any(incident.verdict.decision is Decision.STARTED for incident in decided):
        dispatcher.wake()
    return WebhookReceipt(alerts=len(handled), decided=len({incident.id for incident in decided}))


def _receive(store: IncidentStore, policy: Policy, body: bytes) -> list[Handled]:
    try:
        message = WebhookMessage.model_validate_json(body)
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidRequest(f"{where or 'body'}: {first['msg']}", param=where or None) from exc
    now = datetime.now(UTC)
    episodes = [alert.episode(now=now) for alert in message.alerts]
    handled = store.record(episodes, partial(decide, policy=policy, now=now), now=now)
    metrics.count(handled)
    _log_runs(handled)
    return handled


def _log_runs(handled: list[Handled]) -> None:
    for some in handled:
        verdict = some.after.verdict
        if some.is_new and verdict.decision in (Decision.STARTED, Decision.JOINED):
            log.info("run_decided", decision=verdict.decision.value, run=verdict.run, incident=some.after.id)
