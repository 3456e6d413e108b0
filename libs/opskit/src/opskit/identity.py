"""Who is calling an internal door: the gateway proves itself with the internal token and names the tenant."""

import re
import secrets
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request

from opskit.errors import InvalidRequest, Unauthenticated

TENANT_HEADER = "x-nexus-tenant"
KEY_HEADER = "x-nexus-key-id"
NAME_PATTERN = r"^[a-z0-9][a-z0-9-]{0,62}$"
"""Tenants and knowledge bases: short, lower case, safe in a path, a label and a filter."""

DEFAULT_KNOWLEDGE_BASE = "default"


@dataclass(frozen=True)
class Caller:
    """The tenant a request acts for, and the id (never the secret) of the key it came with."""

    tenant: str
    key_id: str

    def headers(self, internal_token: str) -> dict[str, str]:
        """The headers that carry this caller to another service."""
        return {
            "authorization": f"Bearer {internal_token}",
            TENANT_HEADER: self.tenant,
            KEY_HEADER: self.key_id,
        }


# Coroutines, although they await nothing: FastAPI sends plain functions to a thread, which costs more than they do.
async def require_internal_token(request: Request) -> None:
    """Refuse anyone without the internal token, in constant time: all that a door wants which acts for no tenant. The
    app keeps the token in `app.state.internal_token`. Raises Unauthenticated."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    expected: str = request.app.state.internal_token
    if scheme.lower() != "bearer" or not secrets.compare_digest(given.encode(), expected.encode()):
        raise Unauthenticated("This is an internal door; call the gateway instead.")


async def _caller(
    request: Request,
    tenant: Annotated[str, Header(alias=TENANT_HEADER)] = "",
    key_id: Annotated[str, Header(alias=KEY_HEADER)] = "",
) -> Caller:
    await require_internal_token(request)
    if not re.fullmatch(NAME_PATTERN, tenant):
        raise InvalidRequest(f"{TENANT_HEADER} is missing or malformed.")
    return Caller(tenant=tenant, key_id=key_id)


InternalCaller = Annotated[Caller, Depends(_caller)]
