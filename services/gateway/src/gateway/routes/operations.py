"""For operators: runs, releases, incidents, dead letters and the state of the stack."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from gateway.dependencies import Admin, GatewayDep, body_of
from gateway.document_keys import MAX_KEY_BYTES, checked_text
from gateway.passing import CourierDep
from gateway.routes.docs import answers, json_request
from gateway.schemas.documents import DeadLetters
from gateway.schemas.operations import (
    AutomationRequest,
    AutomationShown,
    IncidentList,
    PromoteRequest,
    ProposalRequest,
    ReleaseList,
    ReleaseShown,
    RollbackRequest,
    RunList,
    RunRequest,
    RunShown,
    StackState,
)
from gateway.stack import worst

router = APIRouter(tags=["operations"])

Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
Limit = Annotated[int | None, Query(ge=1, le=1000)]
Cursor = Annotated[str, Query(description="`next_cursor` of the page before.")]


def _page(limit: int | None, cursor: str) -> dict[str, str | int | None]:
    return {"limit": limit, "cursor": checked_text(cursor, param="cursor", max_bytes=MAX_KEY_BYTES) or None}


@router.get(
    "/v1/runs",
    operation_id="list_runs",
    summary="List runs of the improvement pipeline",
    responses=answers(RunList, description="Runs, newest first."),
)
async def list_runs(
    gateway: GatewayDep, caller: Admin, courier: CourierDep, limit: Limit = None, cursor: Cursor = ""
) -> Response:
    """Runs, newest first."""
    return courier.relay(gateway.services.trainer, "GET", "/v1/runs", caller=caller, query=_page(limit, cursor))


@router.post(
    "/v1/runs",
    operation_id="create_run",
    summary="Start a run of the improvement pipeline",
    responses=answers(RunShown, status=202, errors=(409, 413), description="Started."),
    openapi_extra=json_request(RunRequest, required=False),
)
async def create_run(
    gateway: GatewayDep,
    caller: Admin,
    body: Annotated[RunRequest, Depends(body_of(RunRequest, optional=True))],
    courier: CourierDep,
) -> Response:
    """At most one run is under way; a second is refused with 409."""
    return courier.relay(gateway.services.trainer, "POST", "/v1/runs", caller=caller, json=body.passed_on())


@router.get(
    "/v1/runs/{run_id}",
    operation_id="get_run",
    summary="Show one run",
    responses=answers(RunShown, errors=(404,), description="The run."),
)
async def get_run(gateway: GatewayDep, caller: Admin, courier: CourierDep, run_id: Id) -> Response:
    """Its stages and its outcome."""
    return courier.relay(gateway.services.trainer, "GET", f"/v1/runs/{run_id}", caller=caller)


@router.get(
    "/v1/runs/{run_id}/log",
    operation_id="get_run_log",
    summary="Read what a run says",
    responses=answers(errors=(404,), description="The end of its log, as plain text."),
)
async def get_run_log(
    gateway: GatewayDep,
    caller: Admin,
    courier: CourierDep,
    run_id: Id,
    stage: Annotated[str | None, Query(pattern=r"^[a-z-]{1,40}$", description="One stage alone.")] = None,
) -> Response:
    """While it is being written too."""
    path = f"/v1/runs/{run_id}/log"
    return courier.relay(gateway.services.trainer, "GET", path, caller=caller, query={"stage": stage})


@router.get(
    "/v1/releases",
    operation_id="list_releases",
    summary="List releases",
    responses=answers(ReleaseList, description="Releases, newest first."),
)
async def list_releases(
    gateway: GatewayDep, caller: Admin, courier: CourierDep, limit: Limit = None, cursor: Cursor = ""
) -> Response:
    """Releases, newest first."""
    return courier.relay(gateway.services.trainer, "GET", "/v1/releases", caller=caller, query=_page(limit, cursor))


@router.post(
    "/v1/releases",
    operation_id="propose_release",
    summary="Propose a release with other settings",
    responses=answers(RunShown, status=202, errors=(409, 413), description="The run that measures it has started."),
    openapi_extra=json_request(ProposalRequest),
)
async def propose_release(
    gateway: GatewayDep,
    caller: Admin,
    body: Annotated[ProposalRequest, Depends(body_of(ProposalRequest))],
    courier: CourierDep,
) -> Response:
    """The champion's reader with other prompt or retrieval settings: measured, gated and tried out like a trained one.
    What is wrong with the settings is said at once, with 400; while another run is under way the answer is 409."""
    return courier.relay(gateway.services.trainer, "POST", "/v1/releases", caller=caller, json=body.passed_on())


@router.post(
    "/v1/releases/rollback",
    operation_id="rollback_release",
    summary="Go back to an earlier release",
    responses=answers(ReleaseShown, errors=(404, 409, 413), description="The release that answers now."),
    openapi_extra=json_request(RollbackRequest, required=False),
)
async def rollback_release(
    gateway: GatewayDep,
    caller: Admin,
    body: Annotated[RollbackRequest, Depends(body_of(RollbackRequest, optional=True))],
    courier: CourierDep,
) -> Response:
    """Takes seconds. Without a release named, back to the one before."""
    return courier.relay(
        gateway.services.trainer, "POST", "/v1/releases/rollback", caller=caller, json=body.passed_on()
    )


@router.get(
    "/v1/releases/{release_id}",
    operation_id="get_release",
    summary="Show one release",
    responses=answers(ReleaseShown, errors=(404,), description="The release."),
)
async def get_release(gateway: GatewayDep, caller: Admin, courier: CourierDep, release_id: Id) -> Response:
    """What it is made of and how it was judged."""
    return courier.relay(gateway.services.trainer, "GET", f"/v1/releases/{release_id}", caller=caller)


@router.post(
    "/v1/releases/{release_id}/promote",
    operation_id="promote_release",
    summary="Make a release the champion",
    responses=answers(ReleaseShown, errors=(404, 409, 413), description="The release that answers now."),
    openapi_extra=json_request(PromoteRequest, required=False),
)
async def promote_release(
    gateway: GatewayDep,
    caller: Admin,
    body: Annotated[PromoteRequest, Depends(body_of(PromoteRequest, optional=True))],
    courier: CourierDep,
    release_id: Id,
) -> Response:
    """It answers from now on."""
    path = f"/v1/releases/{release_id}/promote"
    return courier.relay(gateway.services.trainer, "POST", path, caller=caller, json=body.passed_on())


@router.get(
    "/v1/incidents",
    operation_id="list_incidents",
    summary="List incidents",
    responses=answers(IncidentList, description="Incidents, newest first."),
)
async def list_incidents(
    gateway: GatewayDep, caller: Admin, courier: CourierDep, limit: Limit = None, cursor: Cursor = ""
) -> Response:
    """Firing episodes of alerts, and what was done about them."""
    service = gateway.services.alert_bridge
    return courier.relay(service, "GET", "/v1/incidents", caller=caller, query=_page(limit, cursor))


@router.get(
    "/v1/automation",
    operation_id="get_automation",
    summary="Show whether runs may start by themselves",
    responses=answers(AutomationShown, description="The switch, and who turned it."),
)
async def get_automation(gateway: GatewayDep, caller: Admin, courier: CourierDep) -> Response:
    """The switch for automatic runs."""
    return courier.relay(gateway.services.alert_bridge, "GET", "/v1/automation", caller=caller)


@router.put(
    "/v1/automation",
    operation_id="set_automation",
    summary="Pause automatic runs, or let them start again",
    responses=answers(AutomationShown, errors=(413,), description="The switch as it is now."),
    openapi_extra=json_request(AutomationRequest),
)
async def set_automation(
    gateway: GatewayDep,
    caller: Admin,
    body: Annotated[AutomationRequest, Depends(body_of(AutomationRequest))],
    courier: CourierDep,
) -> Response:
    """Runs started by hand are not touched by it."""
    return courier.relay(gateway.services.alert_bridge, "PUT", "/v1/automation", caller=caller, json=body.passed_on())


@router.get(
    "/v1/dead-letters",
    operation_id="list_dead_letters",
    summary="List documents that failed three times",
    responses=answers(DeadLetters, description="Dead letters, newest first."),
)
async def list_dead_letters(
    gateway: GatewayDep, caller: Admin, courier: CourierDep, limit: Limit = None, cursor: Cursor = ""
) -> Response:
    """Each with its reason."""
    return courier.relay(gateway.services.ingest, "GET", "/v1/dead-letters", caller=caller, query=_page(limit, cursor))


@router.post(
    "/v1/dead-letters/{letter_id}/replay",
    operation_id="replay_dead_letter",
    summary="Try a failed document again",
    responses=answers(status=202, errors=(404,), description="Queued again."),
)
async def replay_dead_letter(gateway: GatewayDep, caller: Admin, courier: CourierDep, letter_id: Id) -> Response:
    """Queue the document once more."""
    path = f"/v1/dead-letters/{letter_id}/replay"
    return courier.relay(gateway.services.ingest, "POST", path, caller=caller)


@router.get(
    "/v1/status",
    operation_id="get_status",
    summary="How the stack is",
    responses=answers(description="Every service, and the worst of them.") | {200: {"model": StackState}},
)
async def get_status(gateway: GatewayDep, _: Admin) -> StackState:
    """What every service behind the gateway says about itself. Always 200: the answer is the state."""
    return worst(await gateway.stack.states())
