"""A process that cannot go on for a reason we know says it in one line; only what nobody foresaw is a page of trace.

Settings are apart, because they are read first: `opskit.settings.read_settings`.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from opskit.errors import NexusError

log = structlog.get_logger(__name__)


@contextmanager
def ends_in_one_line() -> Iterator[None]:
    """Around a command line: an error of ours ends the process."""
    try:
        yield
    except NexusError as exc:
        sys.exit(exc.message)


@contextmanager
def stops_when_unable() -> Iterator[None]:
    """Around the start of a worker, whose framework would log the error and go on without."""
    try:
        yield
    except NexusError as exc:
        log.error("cannot_start", reason=exc.message)
        raise SystemExit(1) from None


class StartMiddleware:
    """Pure ASGI: Starlette hands the server a trace of whatever stopped the start, and of our own errors the message
    is enough."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_reason(message: Message) -> None:
            cause = sys.exception()
            if message["type"] == "lifespan.startup.failed" and isinstance(cause, NexusError):
                message = {**message, "message": f"Cannot start: {cause.message}"}
            await send(message)

        await self.app(scope, receive, send_reason if scope["type"] == "lifespan" else send)
