"""Every instrument of rag."""

from prometheus_client import Counter, Gauge, Histogram

_SHARES = tuple(step / 10 for step in range(11))
_SECONDS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0)

ANSWERS = Counter("nexus_answers_total", "Answers by outcome.", ["release", "outcome"])
ANSWER_SECONDS = Histogram("nexus_answer_duration_seconds", "Question to last byte.", ["release"], buckets=_SECONDS)
FIRST_TOKEN_SECONDS = Histogram(
    "nexus_time_to_first_token_seconds", "Question to first words.", ["release"], buckets=_SECONDS
)
GENERATED_TOKENS = Counter("nexus_generated_tokens_total", "Tokens of answers.", ["release"])
RETRIEVAL_SECONDS = Histogram(
    "nexus_retrieval_duration_seconds",
    "Question to fused candidates, embedding included.",
    buckets=(0.005, 0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.08, 0.12, 0.2, 0.5, 1.0, 2.0, 5.0),
)

GROUNDEDNESS = Histogram(
    "nexus_groundedness", "Share of an answer's words that its citations hold.", ["release"], buckets=_SHARES
)
CONTEXT_RELEVANCE = Histogram(
    "nexus_context_relevance", "Nearness of the best passage to the question.", ["release"], buckets=_SHARES
)
ANSWER_RELEVANCE = Histogram(
    "nexus_answer_relevance",
    "Share of the question's words that answer and citations speak of.",
    ["release"],
    buckets=_SHARES,
)

CITATIONS_DROPPED = Counter("nexus_citations_dropped_total", "Supports that were not text of a passage.", ["release"])
ANSWERS_WITHDRAWN = Counter("nexus_answers_withdrawn_total", "Answers without one valid citation.", ["release"])
ANSWERS_ABANDONED = Counter("nexus_answers_abandoned_total", "Answers whose client left.")
ANSWERS_NOT_KEPT = Counter("nexus_answers_not_kept_total", "Answers given that could not be recorded.")
NOT_RANKED = Counter("nexus_passages_not_ranked_total", "Answers whose passages stayed as search ranked them.")
READERS_BUSY = Gauge("nexus_readers_busy", "Answers being read now.")
READERS_WAITING = Gauge("nexus_readers_waiting", "Answers waiting for their turn to be read.")
TURNED_AWAY = Counter("nexus_answers_turned_away_total", "Answers refused because too many were asked for.")
CONVERSATION_ERRORS = Counter("nexus_conversation_errors_total", "Conversations not read or kept.", ["operation"])
RELEASE = Gauge("nexus_release_serving", "Of the conversations, the share that a release answers.", ["release"])
RELEASES_NOT_UNDERSTOOD = Counter("nexus_releases_not_understood_total", "Releases with settings unknown to this rag.")
TABLE_NOT_HEARD = Counter("nexus_serving_table_not_heard_total", "Times that trainer did not say which releases serve.")
STEPPED_IN = Counter("nexus_answers_stepped_in_total", "Answers given by another release than their own.", ["release"])

MODEL_TOKENS = Counter("nexus_model_tokens_total", "Tokens of a remote model, read and written.", ["model", "kind"])
MODEL_COST = Counter("nexus_model_cost_usd_total", "What a remote model cost, at the prices set.", ["model"])
MODEL_RETRIES = Counter("nexus_model_retries_total", "Questions put to a remote model again.", ["model"])
MODEL_FAILURES = Counter("nexus_model_failures_total", "Questions that a remote model failed.", ["model"])


def begin_at_zero(release: str) -> None:
    """Begin the series of a release before it answers, so that its first answer and its first error are a rise."""
    for outcome in ("answered", "abstained", "blocked", "error"):
        ANSWERS.labels(release, outcome)
    for histogram in (ANSWER_SECONDS, FIRST_TOKEN_SECONDS, GROUNDEDNESS, CONTEXT_RELEVANCE, ANSWER_RELEVANCE):
        histogram.labels(release)
