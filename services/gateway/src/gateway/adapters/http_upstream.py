"""A service behind the gateway, reached over pooled HTTP."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from gateway.errors import ReplyBroken, ServiceDown
from gateway.metrics import UPSTREAM_FAILURES, UPSTREAM_WAIT
from gateway.ports import Call, Reply


class HttpUpstream:
    """Satisfies `Upstream` with an httpx client, which it does not own."""

    def __init__(self, name: str, client: httpx.AsyncClient) -> None:
        self._name = name
        self._client = client
        self._wait = UPSTREAM_WAIT.labels(name)

    @property
    def name(self) -> str:
        """The service's name."""
        return self._name

    @asynccontextmanager
    async def open(self, call: Call) -> AsyncIterator[Reply]:
        """Ask the service. Leaving before the body was read to its end closes the connection."""
        request = self._client.build_request(
            call.method,
            call.path,
            params=call.query or None,
            headers={**call.headers, "accept-encoding": "identity"},
            content=call.content,
        )
        started = time.perf_counter()
        try:
            response = await self._client.send(request, stream=True)
        except httpx.HTTPError as exc:
            raise self._down(ServiceDown, exc) from exc
        self._wait.observe(time.perf_counter() - started)
        try:
            yield Reply(response.status_code, response.headers, self._chunks(response))
        finally:
            await response.aclose()

    async def _chunks(self, response: httpx.Response) -> AsyncIterator[bytes]:
        try:
            async for chunk in response.aiter_raw():
                yield chunk
        except httpx.HTTPError as exc:
            raise self._down(ReplyBroken, exc) from exc

    def _down(self, kind: type[ServiceDown], exc: httpx.HTTPError) -> ServiceDown:
        reason = _reason(exc)
        UPSTREAM_FAILURES.labels(self._name, reason.replace(" ", "_")).inc()
        return kind(self._name, reason)


def _reason(exc: httpx.HTTPError) -> str:
    match exc:
        case httpx.PoolTimeout():
            return "too many calls at once"
        case httpx.ConnectError() | httpx.ConnectTimeout():
            return "no connection"
        case httpx.TimeoutException():
            return "no answer in time"
        case _:
            return "connection lost"
