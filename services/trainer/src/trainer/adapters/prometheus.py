"""What Prometheus saw of a release."""

import math

import httpx
from opskit.errors import Unavailable

from trainer.improvement.canary import Traffic


class PrometheusTraffic:
    """Satisfies `TrafficFigures`."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def of(self, release: str, *, seconds: float) -> Traffic:
        """One release over the last so many seconds."""
        over = f"[{max(15, round(seconds))}s]"
        named = f'release="{release}"'
        slowest = self._value(
            f"histogram_quantile(0.95, sum by (le) (increase(nexus_answer_duration_seconds_bucket{{{named}}}{over})))"
        )
        return Traffic(
            answers=self._sum(f"nexus_answers_total{{{named}}}", over),
            errors=self._sum(f'nexus_answers_total{{{named},outcome="error"}}', over),
            slowest=slowest,
            up=self._sum(f'nexus_feedback_total{{{named},rating="up"}}', over),
            down=self._sum(f'nexus_feedback_total{{{named},rating="down"}}', over),
        )

    def _sum(self, series: str, over: str) -> float:
        return self._value(f"sum(increase({series}{over}))") or 0.0

    def _value(self, query: str) -> float | None:
        """The value of a query with one result; None of none."""
        try:
            response = self._client.get("/api/v1/query", params={"query": query}).raise_for_status()
        except httpx.HTTPError as exc:
            raise Unavailable(f"Prometheus does not answer: {exc!r}"[:300]) from exc
        found = response.json()["data"]["result"]
        value = float(found[0]["value"][1]) if found else math.nan
        return value if math.isfinite(value) else None
