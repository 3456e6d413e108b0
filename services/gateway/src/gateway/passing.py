"""Building the call that carries a request to the service behind, and the relay of its answer."""

import asyncio
from collections.abc import AsyncIterable, Callable, Mapping
from typing import Annotated

from fastapi import Depends, Request
from opskit.http import passed_on
from opskit.identity import Caller

from gateway.dependencies import GatewayDep
from gateway.ports import Call, Upstream
from gateway.relay import Observer, Relay

JSON = "application/json"


class Courier:
    """Carries requests inside: with the internal token, the caller's tenant and key id, and the request's id."""

    def __init__(self, token: str, request_id: str) -> None:
        self._token = token
        self._request_id = request_id

    def headers(self, caller: Caller, content_type: str | None = None) -> dict[str, str]:
        """The headers of a call made for `caller`."""
        headers = {**caller.headers(self._token), **passed_on(self._request_id)}
        if content_type is not None:
            headers["content-type"] = content_type
        return headers

    def relay(
        self,
        service: Upstream,
        method: str,
        path: str,
        *,
        caller: Caller,
        query: Mapping[str, str | int | None] | None = None,
        json: bytes | None = None,
        upload: AsyncIterable[bytes] | None = None,
        upload_headers: Mapping[str, str] | None = None,
        extra_headers: dict[str, str] | None = None,
        observer: Observer | None = None,
        on_success: Callable[[], None] | None = None,
        body_sent: asyncio.Event | None = None,
    ) -> Relay:
        """The service's answer as a response. Query parameters that are None are left out."""
        headers = self.headers(caller, JSON if json is not None else None) | dict(upload_headers or {})
        given = {name: str(value) for name, value in (query or {}).items() if value is not None}
        call = Call(method, path, headers, given, json if json is not None else upload)
        return Relay(
            service,
            call,
            extra_headers=extra_headers,
            observer=observer,
            on_success=on_success,
            body_sent=body_sent,
        )


async def _courier(request: Request, gateway: GatewayDep) -> Courier:
    return Courier(gateway.settings.internal_token.get_secret_value(), request.scope["state"]["request_id"])


CourierDep = Annotated[Courier, Depends(_courier)]
