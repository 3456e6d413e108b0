"""Every instrument of trainer. The API's are served at its /metrics; the worker has a registry and port of its own."""

from collections.abc import Iterable
from typing import Final, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

from trainer.feedback import Rating, Receipt

FEEDBACK: Final = Counter(
    "nexus_feedback_total", "Votes, by release. Saying the same again is not counted.", ["release", "rating"]
)
RUNS: Final = Counter(
    "nexus_runs_total", "Runs of the improvement pipeline; refused: asked for, and not started.", ["outcome"]
)
RELEASE_INFO: Final = Gauge(
    "nexus_release_info",
    "1 for each release that feedback spoke of; alias: its part in serving, if known.",
    ["release", "alias"],
)
NO_ALIAS: Final = "none"
# Declared, so that rules and dashboards may name them; without values until there is a pipeline.
GATE_DECISIONS: Final = Counter("nexus_gate_decisions_total", "What the gate decided of candidates.", ["decision"])
STAGE_SECONDS: Final = Histogram("nexus_run_stage_seconds", "How long a stage of a run took.", ["stage"])

WORKER: Final = CollectorRegistry()
ProcessCollector(registry=WORKER)
GCCollector(registry=WORKER)
TASKS: Final = Counter("nexus_trainer_tasks_total", "Tasks done by the worker.", ["task", "outcome"], registry=WORKER)
EXPIRED: Final = Counter("nexus_feedback_expired_total", "Votes forgotten because of their age.", registry=WORKER)

RUNS.labels("refused")


def show_releases(releases: Iterable[str]) -> None:
    """Begin the series of these releases at zero, so that the first vote after a start is a rise that rate() sees."""
    for release in releases:
        RELEASE_INFO.labels(release, NO_ALIAS).set(1)
        for rating in get_args(Rating):
            FEEDBACK.labels(release, rating)


def count(receipt: Receipt) -> None:
    """Count a vote that was kept."""
    vote = receipt.kept.vote
    show_releases([vote.answer.release])
    if receipt.changes_the_count:
        FEEDBACK.labels(vote.answer.release, vote.rating).inc()
