"""Incidents, for operators."""

from typing import Annotated

from fastapi import APIRouter, Query
from opskit.identity import InternalCaller

from alert_bridge.dependencies import Incidents
from alert_bridge.routes.docs import errors
from alert_bridge.schemas import IncidentList, IncidentShown

router = APIRouter(tags=["incidents"])


@router.get("/v1/incidents", operation_id="list_incidents", summary="List incidents", responses=errors())
def list_incidents(
    store: Incidents,
    _: InternalCaller,
    limit: Annotated[int, Query(ge=1, le=1000, description="At most so many.")] = 100,
    cursor: Annotated[int | None, Query(ge=1, le=2**62, description="`next_cursor` of the page before.")] = None,
) -> IncidentList:
    """Firing episodes of alerts and what was done about them, newest first. They are the platform's, not a tenant's."""
    page = store.page(limit=limit, before=cursor)
    return IncidentList(incidents=[IncidentShown.of(incident) for incident in page.incidents], next_cursor=page.cursor)
