"""Figures read from the database when Prometheus asks: they outlive restarts, and every replica says the same."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Final, get_args

import structlog
from opskit.contracts.runs import Outcome
from opskit.errors import Unavailable
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from trainer.feedback import Rating
from trainer.improvement.releases import Release, State, alias_of
from trainer.improvement.stages import Stage
from trainer.ports import FeedbackStore, ReleaseStore, RunStore

log = structlog.get_logger(__name__)

_BUCKETS: Final = (1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 86400)
_ALIASES: Final = ("champion", "challenger")
_SERVED: Final = (State.START, State.CHAMPION, State.CHALLENGER)


class StoredFigures(Collector):
    """What the database knows of runs, releases and recent votes. What cannot be read now is left out: a zero would
    look like a reset."""

    def __init__(
        self, runs: RunStore, releases: ReleaseStore, feedback: FeedbackStore, *, window: timedelta, of_a_voter: int
    ) -> None:
        self._runs, self._releases, self._feedback = runs, releases, feedback
        self._window, self._of_a_voter = window, of_a_voter

    def collect(self) -> Iterable[Metric]:
        """All families."""
        for part in (self._of_runs, self._of_releases):
            yield from self._read(part)

    def describe(self) -> Iterable[Metric]:
        """Nothing is read before somebody asks."""
        return ()

    def _read(self, part: Callable[[], list[Metric]]) -> list[Metric]:
        try:
            return part()
        except Unavailable as exc:
            log.warning("figures_not_read", reason=exc.message)
            return []

    def _of_runs(self) -> list[Metric]:
        totals = self._runs.totals()
        runs = CounterMetricFamily("nexus_runs", "Runs of the improvement pipeline that ended.", labels=["outcome"])
        for outcome in get_args(Outcome):
            runs.add_metric([outcome], totals.outcomes.get(outcome, 0))
        gate = CounterMetricFamily("nexus_gate_decisions", "What the gate decided of candidates.", labels=["decision"])
        for decision in ("promote", "reject"):
            gate.add_metric([decision], totals.decisions.get(decision, 0))
        stages = HistogramMetricFamily("nexus_run_stage_seconds", "How long a stage of a run took.", labels=["stage"])
        for stage in Stage:
            seconds = [taken for name, taken in totals.stages if name == stage.value]
            stages.add_metric([stage.value], _buckets(seconds), sum(seconds))
        return [runs, gate, stages]

    def _of_releases(self) -> list[Metric]:
        releases = self._releases.all()
        info = GaugeMetricFamily(
            "nexus_release_info", "1 for a release's part in serving.", labels=["release", "alias"]
        )
        for release in releases:
            for alias in _ALIASES:
                if release.state in _SERVED or release.state in (State.RETIRED, State.ROLLED_BACK):
                    info.add_metric([release.id, alias], float(alias_of(release, releases) == alias))
        return [info, self._recent_votes(releases)]

    def _recent_votes(self, releases: Sequence[Release]) -> Metric:
        """Votes on releases that do not answer any more are history: they must not call for another run."""
        votes = GaugeMetricFamily(
            "nexus_feedback_recent",
            "Votes of the last while on releases that answer; of one voter only so many count.",
            labels=["release", "rating"],
        )
        counted = self._feedback.recent(since=datetime.now(UTC) - self._window, of_a_voter=self._of_a_voter)
        for release in releases:
            serves = alias_of(release, releases) is not None
            for rating in get_args(Rating):
                if release.bundle is not None or serves:
                    votes.add_metric([release.id, rating], counted.get((release.id, rating), 0) if serves else 0)
        return votes


def _buckets(seconds: Sequence[float]) -> list[tuple[str, float]]:
    edges = [*map(float, _BUCKETS), float("inf")]
    inside = [sum(low < taken <= high for taken in seconds) for low, high in zip([-1.0, *edges], edges, strict=False)]
    names = [*(f"{edge}" for edge in map(float, _BUCKETS)), "+Inf"]
    return list(zip(names, map(float, accumulate(inside)), strict=True))
