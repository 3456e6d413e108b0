"""What is kept of an answer: the record that feedback finds, the conversation, and the figures."""

import asyncio

import structlog
from opskit.contracts.answers import AnswerRecord, AnswerScores
from opskit.contracts.reader import TokenUsage
from opskit.errors import Unavailable

from rag import metrics
from rag.ports import AnswerLog, Conversations, Exchange
from rag.verdict import Verdict

log = structlog.get_logger(__name__)


class Recorder:
    """Keeps answers."""

    def __init__(self, answers: AnswerLog, conversations: Conversations) -> None:
        self._answers = answers
        self._conversations = conversations

    async def keep(self, record: AnswerRecord, *, asked: str) -> None:
        """Returns when feedback can find the answer. One that cannot be kept is still given, and counted."""
        remembered = self._conversations.add(record.tenant, record.conversation_id, Exchange(asked, record.answer))
        kept, _ = await asyncio.gather(self._keep(record), remembered)
        if not kept:
            metrics.ANSWERS_NOT_KEPT.inc()

    async def _keep(self, record: AnswerRecord) -> bool:
        try:
            await self._answers.save(record)
        except Unavailable as exc:
            log.warning("answer_not_kept", answer_id=record.answer_id, reason=exc.message, cause=repr(exc.__cause__))
            return False
        return True


def count(record: AnswerRecord, verdict: Verdict, usage: TokenUsage, *, seconds: float) -> None:
    """Show the figures of an answer to Prometheus."""
    release = record.release
    metrics.ANSWERS.labels(release, record.outcome).inc()
    metrics.ANSWER_SECONDS.labels(release).observe(seconds)
    metrics.GENERATED_TOKENS.labels(release).inc(usage.completion_tokens)
    if verdict.dropped:
        metrics.CITATIONS_DROPPED.labels(release).inc(verdict.dropped)
    if verdict.withdrawn:
        metrics.ANSWERS_WITHDRAWN.labels(release).inc()
    if record.scores is not None:
        _count_scores(release, record.scores)


def _count_scores(release: str, scores: AnswerScores) -> None:
    metrics.CONTEXT_RELEVANCE.labels(release).observe(scores.context_relevance)
    if scores.groundedness is not None:
        metrics.GROUNDEDNESS.labels(release).observe(scores.groundedness)
    if scores.answer_relevance is not None:
        metrics.ANSWER_RELEVANCE.labels(release).observe(scores.answer_relevance)
