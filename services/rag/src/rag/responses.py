"""Serving an answer while it is made, whole or streamed, and stopping the work as soon as the client is gone.

The first words are awaited before the status goes out, so whatever fails until then is a proper error with its status.
Later failures end a stream with an error event and without `[DONE]`: nobody takes half an answer for a whole one.
"""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from typing import Any

import structlog
from opskit.errors import NexusError
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from rag import openai_format
from rag.answer import Finished, Words
from rag.openai_format import DONE, StreamFormat

log = structlog.get_logger(__name__)

Events = AsyncGenerator[Words | Finished, None]


class AnswerResponse(Response):
    """A whole answer."""

    def __init__(self, events: Events, *, model: str, created: int) -> None:
        super().__init__()
        self._events = events
        self._model = model
        self._created = created

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve it, unless the client leaves first."""
        await _unless_client_leaves(receive, self._serve(scope, receive, send))

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._events) as events:
            async for event in events:
                if isinstance(event, Finished):
                    body = openai_format.completion(event, model=self._model, created=self._created)
                    await Response(body, media_type="application/json")(scope, receive, send)


class AnswerStream(Response):
    """Server-sent events of OpenAI's chunks."""

    def __init__(self, events: Events, format: StreamFormat) -> None:
        super().__init__()
        self._events = events
        self._format = format
        self._started = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve it, unless the client leaves first."""
        await _unless_client_leaves(receive, self._serve(send))

    async def _serve(self, send: Send) -> None:
        try:
            async with aclosing(self._events) as events:
                async for event in events:
                    await self._pass_on(event, send)
        except NexusError as exc:
            if not self._started:
                raise
            log.warning("answer_broken", code=exc.code, message=exc.message, cause=repr(exc.__cause__))
            await self._break_off(send, exc.message, exc.code)
        except Exception:
            if not self._started:
                raise
            log.exception("answer_broken")
            await self._break_off(send, "Something broke on our side; the log has the details.", "internal_error")

    async def _pass_on(self, event: Words | Finished, send: Send) -> None:
        if isinstance(event, Words):
            await self._send(send, self._format.words(event.text, first=not self._started))
        else:
            await self._send(send, self._format.last(event) + DONE, more=False)

    async def _break_off(self, send: Send, message: str, code: str) -> None:
        event = openai_format.error_event(message, type="service_unavailable_error", code=code)
        await self._send(send, event, more=False)

    async def _send(self, send: Send, body: bytes, *, more: bool = True) -> None:
        if not self._started:
            self._started = True
            await send({"type": "http.response.start", "status": 200, "headers": _STREAM_HEADERS})
        await send({"type": "http.response.body", "body": body, "more_body": more})


_STREAM_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]


async def _unless_client_leaves(receive: Receive, serving: Coroutine[Any, Any, None]) -> None:
    """Serve, and cancel it when the client goes; its work has ended when this returns."""
    server, watcher = asyncio.ensure_future(serving), asyncio.ensure_future(_client_leaves(receive))
    try:
        await asyncio.wait((server, watcher), return_when=asyncio.FIRST_COMPLETED)
        if server.done():
            server.result()
    finally:
        for task in (server, watcher):
            task.cancel()
        await asyncio.gather(server, watcher, return_exceptions=True)


async def _client_leaves(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
