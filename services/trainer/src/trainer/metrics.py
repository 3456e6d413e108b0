"""Every instrument of trainer. The API's are served at its /metrics; the worker has a registry and port of its own."""

from collections.abc import Iterable, Mapping
from typing import Final, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

from trainer.feedback import Rating, Receipt
from trainer.observing.judging import ANSWER_RELEVANCE, CONTEXT_RELEVANCE, GROUNDEDNESS

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

OBSERVED: Final = Counter(
    "nexus_observed_answers_total",
    "Answers that were looked at: traced, passed over, lost.",
    ["outcome"],
    registry=WORKER,
)
OBSERVED_VOTES: Final = Counter(
    "nexus_observed_votes_total",
    "Votes that were put beside their answer's trace, or lost.",
    ["outcome"],
    registry=WORKER,
)
OBSERVE_FAILURES: Final = Counter(
    "nexus_observe_failures_total", "Times that observing could not go on; it goes on later.", ["part"], registry=WORKER
)
OBSERVE_LAG: Final = Gauge(
    "nexus_observe_lag_seconds", "Since there was last nothing left to observe.", registry=WORKER
)
JUDGEMENTS: Final = Counter(
    "nexus_judgements_total", "Answers given to the judge: done, put off, failed.", ["outcome"], registry=WORKER
)
JUDGEMENTS_WAITING: Final = Gauge("nexus_judgements_waiting", "Answers that wait for the judge.", registry=WORKER)
JUDGEMENT_SECONDS: Final = Histogram(
    "nexus_judgement_seconds",
    "How long the judge took for an answer.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300),
    registry=WORKER,
)


def _judged(name: str, what: str) -> Histogram:
    shares = tuple(step / 10 for step in range(11))
    return Histogram(f"nexus_judged_{name}", what, ["release"], buckets=shares, registry=WORKER)


JUDGED: Final = {
    CONTEXT_RELEVANCE: _judged(CONTEXT_RELEVANCE, "How much the passages are about the question, by the judge."),
    GROUNDEDNESS: _judged(GROUNDEDNESS, "How well the passages hold what the answer says, by the judge."),
    ANSWER_RELEVANCE: _judged(ANSWER_RELEVANCE, "How much the answer speaks to the question, by the judge."),
}


def show_releases(releases: Iterable[str]) -> None:
    """Begin the series of these releases at zero, so that the first vote after a start is a rise that rate() sees."""
    for release in releases:
        for rating in get_args(Rating):
            FEEDBACK.labels(release, rating)


def count_judgement(release: str, scores: Mapping[str, float], *, seconds: float) -> None:
    """Count what the judge said of an answer."""
    JUDGEMENTS.labels("done").inc()
    JUDGEMENT_SECONDS.observe(seconds)
    for name, score in scores.items():
        JUDGED[name].labels(release).observe(score)


def count(receipt: Receipt) -> None:
    """Count a vote that was kept."""
    vote = receipt.kept.vote
    show_releases([vote.answer.release])
    if receipt.changes_the_count:
        FEEDBACK.labels(vote.answer.release, vote.rating).inc()
