"""The switch for runs that alerts start."""

from datetime import UTC, datetime

import structlog
from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from opskit.errors import InvalidRequest
from opskit.identity import KEY_HEADER, InternalCaller

from alert_bridge.dependencies import RunDispatcher, Switch
from alert_bridge.routes.docs import errors
from alert_bridge.runs import Automation
from alert_bridge.schemas import AutomationShown, AutomationWish

log = structlog.get_logger(__name__)

router = APIRouter(prefix="/v1/automation", tags=["automation"], responses=errors())

_LONGEST_KEY_ID = 128


@router.get("", operation_id="get_automation", summary="May alerts start runs?")
def get_automation(store: Switch, _: InternalCaller) -> AutomationShown:
    """And who decided so, when, and why."""
    return AutomationShown.of(store.automation())


@router.put("", operation_id="set_automation", summary="Pause automatic runs, or go on with them")
async def set_automation(
    store: Switch, dispatcher: RunDispatcher, caller: InternalCaller, wish: AutomationWish
) -> AutomationShown:
    """While they are paused no alert starts a run, and a run that waits to be handed over keeps waiting. Runs that
    trainer has go on."""
    if not 0 < len(caller.key_id) <= _LONGEST_KEY_ID:
        raise InvalidRequest(f"{KEY_HEADER} is missing or too long: the switch keeps who turned it.", param=KEY_HEADER)
    automation = Automation(wish.paused, caller.key_id, wish.reason, datetime.now(UTC))
    await run_in_threadpool(store.set_automation, automation)
    log.info(
        "automation_changed",
        paused=automation.paused,
        by=automation.by,
        tenant=caller.tenant,
        reason=automation.reason,
    )
    dispatcher.wake()
    return AutomationShown.of(automation)
