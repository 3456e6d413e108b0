"""Pure ASGI middleware: counts and times every request to its last byte, by route template."""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.metrics import DURATION, REQUESTS
from gateway.relay import CLIENT_LEFT

UNMATCHED = "unmatched"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_UNCOUNTED = frozenset({"/livez", "/readyz", "/healthz", "/metrics"})


class MeasureMiddleware:
    """Feeds nexus_gateway_requests_total and nexus_gateway_request_duration_seconds."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request and count it."""
        if scope["type"] != "http" or scope["path"] in _UNCOUNTED:
            await self.app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watched)
        finally:
            if scope.get("state", {}).get("client_left"):
                status = CLIENT_LEFT
            route = getattr(scope.get("route"), "path_format", UNMATCHED)
            method = scope["method"] if scope["method"] in _METHODS else "OTHER"
            REQUESTS.labels(route, method, str(status)).inc()
            DURATION.labels(route, method).observe(time.perf_counter() - started)
