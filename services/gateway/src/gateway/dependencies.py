"""What a route may ask for: the gateway's parts, the caller with the scope the route needs, a checked body.

The order is the order of the door: room, key, scope, rate, and only then the body.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from opskit.errors import Forbidden, TooManyRequests, Unauthenticated
from opskit.identity import Caller
from pydantic import BaseModel

from gateway import json_body
from gateway.keyring import KeyRing
from gateway.keys import Scope, allows
from gateway.limits import SteadyLimiter
from gateway.metrics import LIMITED, REFUSED
from gateway.models_known import KnownModels
from gateway.ports import KeyStore, Upstream, UsageStore
from gateway.settings import Settings
from gateway.slots import Slots
from gateway.stack import StackWatch
from gateway.usage import UsageMeter

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Services:
    """The services behind the gateway."""

    rag: Upstream
    ingest: Upstream
    trainer: Upstream
    alert_bridge: Upstream

    def all(self) -> tuple[Upstream, ...]:
        """Each of them."""
        return (self.rag, self.ingest, self.trainer, self.alert_bridge)


@dataclass(frozen=True)
class Gateway:
    """The parts made in the lifespan."""

    settings: Settings
    keys: KeyStore
    keyring: KeyRing
    limiter: SteadyLimiter
    usage: UsageMeter
    usage_store: UsageStore
    services: Services
    models: KnownModels
    stack: StackWatch
    request_slots: Slots
    answer_slots: Slots


# A coroutine, although it awaits nothing: FastAPI sends plain functions to a thread, which costs more than they do.
async def _gateway(request: Request) -> Gateway:
    gateway: Gateway = request.app.state.gateway
    return gateway


GatewayDep = Annotated[Gateway, Depends(_gateway)]

bearer = HTTPBearer(
    auto_error=False,
    scheme_name="ApiKey",
    description="An API key: `Authorization: Bearer nx_…`. `make up` writes the admin key to `.nexus/env`.",
)
Credentials = Annotated[HTTPAuthorizationCredentials | None, Security(bearer)]


async def request_slot(gateway: GatewayDep) -> AsyncIterator[None]:
    """Hold one of the slots for requests until the answer is complete."""
    with gateway.request_slots.taken():
        yield


async def answer_slot(gateway: GatewayDep) -> AsyncIterator[None]:
    """Hold one of the slots for answers until the answer is complete."""
    with gateway.answer_slots.taken():
        yield


def _needs(*scopes: Scope) -> Callable[..., Awaitable[Caller]]:
    async def let_in(gateway: GatewayDep, credentials: Credentials) -> Caller:
        if credentials is None:
            REFUSED.labels("no_key").inc()
            raise Unauthenticated("Send your API key in the header `Authorization: Bearer nx_…`.")
        try:
            record = await gateway.keyring.authenticate(credentials.credentials)
        except Unauthenticated:
            REFUSED.labels("unknown_key").inc()
            raise
        if not allows(record.scopes, scopes):
            REFUSED.labels("missing_scope").inc()
            raise Forbidden(f"This key lacks the scope {' or '.join(scopes)}.")
        verdict = await gateway.limiter.hit(record.id)
        if not verdict.allowed:
            LIMITED.inc()
            limit = gateway.settings.rate_limit_per_minute
            raise TooManyRequests(
                f"This key made more than {limit} requests in a minute.", retry_after=verdict.retry_after
            )
        caller = Caller(record.tenant, record.id)
        gateway.usage.request(caller)
        return caller

    return let_in


Chatter = Annotated[Caller, Depends(_needs("chat"))]
Reader = Annotated[Caller, Depends(_needs("chat", "documents"))]
Librarian = Annotated[Caller, Depends(_needs("documents"))]
Admin = Annotated[Caller, Depends(_needs("admin"))]


async def body_bytes(request: Request, gateway: GatewayDep) -> bytes:
    """The whole JSON body, within the cap."""
    declared = json_body.declared_length(request.headers.get("content-length"))
    return await json_body.read_capped(request.stream(), declared=declared, limit=gateway.settings.max_json_bytes)


def body_of(model: type[Model], *, optional: bool = False) -> Callable[..., Awaitable[Model]]:
    """A dependency that gives the body as `model`; an `optional` one may be empty. A route names it after its caller,
    so that a stranger is turned away before a byte of the body is read."""

    async def body(content: Annotated[bytes, Depends(body_bytes)]) -> Model:
        return json_body.parse(content if content or not optional else b"{}", model)

    return body
