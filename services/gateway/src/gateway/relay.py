"""Passing a service's answer on: status, body and the headers that matter, byte for byte, as they come.

The client is watched all the while. When it goes, the call to the service is dropped at once, so that nobody works
for nobody. Nothing is collected: a slow client slows the service down through TCP.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

import orjson
import structlog
from opskit.errors import error_body
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.errors import ReplyBroken
from gateway.metrics import DISCONNECTS
from gateway.ports import Call, Reply, Upstream

log = structlog.get_logger(__name__)

PASSED_HEADERS = (
    "content-type",
    "content-length",
    "content-encoding",
    "content-disposition",
    "cache-control",
    "etag",
    "last-modified",
    "retry-after",
    "x-accel-buffering",
)
EVENT_STREAM = "text/event-stream"
CLIENT_LEFT = 499
"""What the metrics show for a client that left; nobody is there to receive it."""


class Observer(Protocol):
    """Sees the bytes go by."""

    def add(self, chunk: bytes) -> None:
        """A chunk went to the client."""


class Relay(Response):
    """The response that is another service's answer to `call`."""

    def __init__(
        self,
        upstream: Upstream,
        call: Call,
        *,
        extra_headers: dict[str, str] | None = None,
        observer: Observer | None = None,
        on_success: Callable[[], None] | None = None,
        body_sent: asyncio.Event | None = None,
    ) -> None:
        """`body_sent` is set when the request's own body has been read to its end: only then may the client be
        watched, because until then the body's reader notices that it left."""
        super().__init__()
        self._upstream = upstream
        self._call = call
        self._extra_headers = extra_headers or {}
        self._observer = observer
        self._on_success = on_success
        self._body_sent = body_sent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the answer, or stop as soon as the client is gone."""
        try:
            finished = await _first(self._pass_on(send), self._client_leaves(receive))
        except ClientDisconnect:
            finished = False
        if not finished:
            DISCONNECTS.inc()
            scope["state"]["client_left"] = True

    async def _pass_on(self, send: Send) -> bool:
        async with self._upstream.open(self._call) as reply:
            await send({"type": "http.response.start", "status": reply.status, "headers": self._passed_headers(reply)})
            try:
                async for chunk in reply.chunks:
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                    if self._observer is not None:
                        self._observer.add(chunk)
            except ReplyBroken as exc:
                await self._explain_the_break(reply, exc, send)
                return True
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            if self._on_success is not None and reply.status < 300:
                self._on_success()
        return True

    async def _explain_the_break(self, reply: Reply, exc: ReplyBroken, send: Send) -> None:
        """The status is out, so a stream ends with an error event, which OpenAI's clients raise; any other body is
        left short, which every HTTP client notices."""
        log.warning("reply_broken", service=exc.service, reason=exc.reason)
        if reply.headers.get("content-type", "").startswith(EVENT_STREAM):
            body = orjson.dumps(error_body(exc.message, type="service_unavailable_error", code=exc.code))
            await send({"type": "http.response.body", "body": b"\n\ndata: " + body + b"\n\n", "more_body": False})

    def _passed_headers(self, reply: Reply) -> list[tuple[bytes, bytes]]:
        passed = {name: reply.headers[name] for name in PASSED_HEADERS if name in reply.headers} | self._extra_headers
        return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in passed.items()]

    async def _client_leaves(self, receive: Receive) -> bool:
        if self._body_sent is not None:
            await self._body_sent.wait()
        while (await receive())["type"] != "http.disconnect":
            pass
        return False


async def _first(*contenders: Coroutine[Any, Any, bool]) -> bool:
    """The result of whichever ends first; the others are cancelled and have ended when this returns."""
    tasks = [asyncio.ensure_future(contender) for contender in contenders]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        # Both may be done at once: an answer given to the end counts as given.
        return next(task for task in tasks if task in done).result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
