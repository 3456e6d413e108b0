"""API keys and what they used."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from opskit.errors import Conflict, NotFound

from gateway.dependencies import Admin, GatewayDep, body_of
from gateway.keys import BOOTSTRAP_ID, is_key_id, issue
from gateway.routes.docs import answers, json_request
from gateway.schemas.operations import KeyCreated, KeyList, KeyRequest, KeyShown, UsageList, UsageShown

router = APIRouter(tags=["keys"])


@router.post(
    "/v1/keys",
    operation_id="create_key",
    summary="Make an API key",
    status_code=201,
    responses=answers(KeyCreated, status=201, errors=(413,), description="The key; its secret is shown only now."),
    openapi_extra=json_request(KeyRequest),
)
async def create_key(
    gateway: GatewayDep, _: Admin, body: Annotated[KeyRequest, Depends(body_of(KeyRequest))]
) -> KeyCreated:
    """A key opens one tenant's documents. Only its hash is kept, so note the secret down."""
    issued = issue(name=body.name, tenant=body.tenant, scopes=body.scopes, now=datetime.now(UTC))
    await asyncio.to_thread(gateway.keys.put, issued.record)
    gateway.keyring.forget(issued.record.id)
    return KeyCreated(**KeyShown.of(issued.record).model_dump(), key=issued.secret)


@router.get("/v1/keys", operation_id="list_keys", summary="List API keys", responses=answers(description="All keys."))
async def list_keys(gateway: GatewayDep, _: Admin) -> KeyList:
    """All keys, oldest first, without their secrets."""
    records = await asyncio.to_thread(gateway.keys.list)
    return KeyList(keys=[KeyShown.of(record) for record in records])


@router.delete(
    "/v1/keys/{key_id}",
    operation_id="revoke_key",
    summary="Revoke an API key",
    responses=answers(errors=(404, 409), description="The key as it was; it opens nothing any more."),
)
async def revoke_key(gateway: GatewayDep, _: Admin, key_id: str) -> KeyShown:
    """For ever, and within seconds everywhere."""
    if key_id == BOOTSTRAP_ID:
        raise Conflict("The bootstrap key comes from NEXUS_BOOTSTRAP_KEY; change it there and restart the gateway.")
    record = await asyncio.to_thread(gateway.keys.revoke, key_id, datetime.now(UTC)) if is_key_id(key_id) else None
    if record is None:
        raise NotFound("There is no such key.")
    gateway.keyring.forget(key_id)
    return KeyShown.of(record)


@router.get(
    "/v1/usage",
    operation_id="list_usage",
    summary="What tenants and keys used",
    responses=answers(description="Usage by day, tenant and key."),
)
async def list_usage(
    gateway: GatewayDep, _: Admin, since: Annotated[date | None, Query(description="30 days ago when left out.")] = None
) -> UsageList:
    """Requests, answers and tokens, newest day first."""
    start = since or datetime.now(UTC).date() - timedelta(days=30)
    rows = await asyncio.to_thread(lambda: gateway.usage_store.list(since=start))
    return UsageList(
        usage=[UsageShown(day=k.day, tenant=k.tenant, key_id=k.key_id, **vars(count)) for k, count in rows]
    )
