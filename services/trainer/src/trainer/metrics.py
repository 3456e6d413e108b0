"""Every instrument of trainer. The API's are served at its /metrics; the worker has a registry and port of its own."""

from collections.abc import Iterable
from typing import Final, get_args

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

from trainer.feedback import Rating, Receipt

FEEDBACK: Final = Counter(
    "nexus_feedback_total", "Votes, by release. Saying the same again is not counted.", ["release", "rating"]
)

WORKER: Final = CollectorRegistry()
ProcessCollector(registry=WORKER)
GCCollector(registry=WORKER)
TASKS: Final = Counter("nexus_trainer_tasks_total", "Tasks done by the worker.", ["task", "outcome"], registry=WORKER)
DUTIES_LEFT: Final = Counter(
    "nexus_trainer_duties_left_total", "Times that somebody was away who had to be told.", ["duty"], registry=WORKER
)
EXPIRED: Final = Counter("nexus_feedback_expired_total", "Votes forgotten because of their age.", registry=WORKER)


def show_releases(releases: Iterable[str]) -> None:
    """Begin the series of these releases at zero, so that the first vote after a start is a rise that rate() sees."""
    for release in releases:
        for rating in get_args(Rating):
            FEEDBACK.labels(release, rating)


def count(receipt: Receipt) -> None:
    """Count a vote that was kept."""
    vote = receipt.kept.vote
    show_releases([vote.answer.release])
    if receipt.changes_the_count:
        FEEDBACK.labels(vote.answer.release, vote.rating).inc()
