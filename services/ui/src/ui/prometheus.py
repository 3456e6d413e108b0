"""A reader of Prometheus, which is optional and no part of the gateway: only the charts over time need it."""

import math
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from ui.errors import FiguresAway
from ui.metrics import CALLS
from ui.ports import Series

TIMEOUT = httpx.Timeout(5.0, connect=2.0)


class PrometheusReader:
    """Asks one Prometheus. Safe to share between sessions and threads."""

    def __init__(self, base_url: str, transport: httpx.MockTransport | httpx.HTTPTransport | None = None) -> None:
        self._client = httpx.Client(base_url=base_url, timeout=TIMEOUT, transport=transport)

    def over_time(self, query: str, *, start: datetime, end: datetime, step: timedelta) -> Sequence[Series]:
        """What `query` gave at every `step` from `start` to `end`, a series for each set of labels. What was no number
        is left out."""
        params: dict[str, str | float] = {
            "query": query,
            "start": start.timestamp(),
            "end": end.timestamp(),
            "step": max(1.0, step.total_seconds()),
        }
        started, outcome = time.perf_counter(), "FiguresAway"
        try:
            found = _series(self._client.get("/api/v1/query_range", params=params).raise_for_status().json())
            outcome = "ok"
        except httpx.HTTPStatusError as exc:
            raise FiguresAway(f"Prometheus answered with status {exc.response.status_code}.") from exc
        except httpx.HTTPError as exc:
            raise FiguresAway("Prometheus does not answer.") from exc
        except (ValueError, KeyError, TypeError, IndexError) as exc:
            raise FiguresAway("Prometheus answered in a shape this chatbot does not understand.") from exc
        finally:
            CALLS.labels("figures", outcome).observe(time.perf_counter() - started)
        return found


def _series(body: Any) -> list[Series]:
    return [
        Series(labels=dict(found["metric"]), points=tuple(_points(found["values"]))) for found in body["data"]["result"]
    ]


def _points(values: Any) -> list[tuple[datetime, float]]:
    pairs = [(datetime.fromtimestamp(float(at), UTC), float(value)) for at, value in values]
    return [(at, value) for at, value in pairs if math.isfinite(value)]
