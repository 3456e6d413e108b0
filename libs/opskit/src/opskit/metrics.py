"""The `/metrics` door: HTTP rate, errors, duration and in-flight of every route, beside the service's own instruments.

A service declares its instruments once, in its `metrics.py`, with the prefix `nexus_` and bounded labels.
"""

from fastapi import FastAPI
from prometheus_fastapi_instrumentator import Instrumentator, metrics


def instrument(app: FastAPI) -> None:
    """Count and time every request of `app` as nexus_http_* and serve /metrics. Streams count to their first byte."""
    Instrumentator(
        excluded_handlers=["/metrics", "/livez", "/readyz", "/healthz"],
        should_exclude_streaming_duration=True,
        should_instrument_requests_inprogress=True,
        inprogress_name="nexus_http_requests_in_flight",
        inprogress_labels=True,
    ).add(metrics.default(metric_namespace="nexus", should_exclude_streaming_duration=True)).instrument(app).expose(
        app, include_in_schema=False
    )
