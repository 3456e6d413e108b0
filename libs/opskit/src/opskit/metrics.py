"""The `/metrics` door: HTTP rate, errors, duration and in-flight of every route, beside the service's own instruments.

A service declares its instruments once, in its `metrics.py`, with the prefix `nexus_` and bounded labels.
"""

from fastapi import FastAPI
from prometheus_client import Gauge
from prometheus_fastapi_instrumentator import Instrumentator, metrics
from starlette.types import ASGIApp, Receive, Scope, Send

# Ours, and made once: the instrumentator's own gauge allows only one app in a process, and tests make many.
IN_FLIGHT = Gauge("nexus_http_requests_in_flight", "HTTP requests being served now.")


class _CountInFlight:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        with IN_FLIGHT.track_inprogress():
            await self.app(scope, receive, send)


def instrument(app: FastAPI) -> None:
    """Count and time every request of `app` as nexus_http_* and serve /metrics. Streams count to their first byte."""
    Instrumentator(
        excluded_handlers=["/metrics", "/livez", "/readyz", "/healthz"],
        should_exclude_streaming_duration=True,
    ).add(metrics.default(metric_namespace="nexus", should_exclude_streaming_duration=True)).instrument(app).expose(
        app, include_in_schema=False
    )
    app.add_middleware(_CountInFlight)
