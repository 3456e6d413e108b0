"""Reading on through what was answered and voted, and showing it in MLflow; apart from the answering, and never in its
way. Whatever is away now is told later: nothing is taken as done before it is."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from opskit.contracts.answers import AnswerRecord
from opskit.errors import Unavailable

from trainer import metrics
from trainer.feedback import KeptVote
from trainer.observing.assessments import Assessment, of_judgement, of_vote
from trainer.observing.judging import Verdict, case_of
from trainer.observing.ports import (
    Judge,
    KeptAnswers,
    ObservationStore,
    Page,
    Progress,
    Refused,
    TraceMissing,
    Traces,
)
from trainer.observing.pseudonyms import Pseudonyms
from trainer.observing.sampling import Shares
from trainer.observing.traces import Trace, trace_of

log = structlog.get_logger(__name__)

PAGE: Final = 50
SECONDS_A_TICK: Final = 3.0
"""After so long a tick begins nothing new: the thread is not its own."""
PATIENCE: Final = 20
"""So many times something is tried that MLflow refuses; it may be MLflow that is unwell."""
JUDGING_TAKES: Final = timedelta(minutes=15)
"""Whoever took an answer to its judge and was not heard of for so long is gone."""


class Observer:
    """Does a little each time it is asked to. What it did is known from SQL alone."""

    def __init__(
        self,
        *,
        answers: KeptAnswers,
        store: ObservationStore,
        traces: Traces,
        judge: Judge,
        shares: Shares,
        names: Pseudonyms,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._answers, self._store, self._traces, self._judge = answers, store, traces, judge
        self._shares, self._names, self._clock = shares, names, clock
        self._lock = threading.Lock()
        self._refusals: Counter[str] = Counter()
        self._caught_up_at: datetime | None = None
        metrics.OBSERVE_LAG.set_function(self.lag)

    def tick(self) -> None:
        """Go on for a while. One at a time: a second caller is sent away."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            ends = time.monotonic() + SECONDS_A_TICK
            self._do(self._observe_answers, ends, name="answers")
            self._do(self._observe_votes, ends, name="votes")
            self._do(self._judge_answers, ends, name="judge")
            self._do(self._show_judgements, ends, name="judgements")
        finally:
            self._lock.release()

    def forget(self, *, before: datetime) -> None:
        """Forget answers as old as that: they hold what people asked, and are not for ever."""
        self._do(lambda _: self._forget(before), 0.0, name="forget")

    def lag(self) -> float:
        """Seconds since there was last nothing left to observe; 0 before anything is known."""
        return (self._clock() - self._caught_up_at).total_seconds() if self._caught_up_at else 0.0

    def _forget(self, before: datetime) -> None:
        self._store.forget(before=before)
        gone = self._traces.forget(before=before)
        if gone:
            log.info("traces_forgotten", traces=gone)

    def _do(self, part: Callable[[float], None], ends: float, *, name: str) -> None:
        try:
            part(ends)
        except (Unavailable, Refused) as exc:
            metrics.OBSERVE_FAILURES.labels(name).inc()
            log.info("not_observed", part=name, reason=str(exc)[:300])

    def _observe_answers(self, ends: float) -> None:
        progress = self._store.progress(now=self._caught_up_at or self._clock())
        self._caught_up_at = progress.caught_up_at
        while time.monotonic() < ends:
            asked_at = self._clock()
            page = self._answers.after(progress.cursor, limit=PAGE)
            caught_up_at = progress.caught_up_at if page.more else asked_at
            progress = Progress(page.cursor, caught_up_at)
            self._observe_page(page, progress)
            self._caught_up_at = caught_up_at
            if not page.more:
                return

    def _observe_page(self, page: Page, progress: Progress) -> None:
        chosen = [one for one in page.answers if self._shares.traces(one.answer_id)]
        traced = self._trace(chosen)
        to_judge = [one for one in page.answers if self._shares.judges(one)]
        ids = {trace.answer_id: trace.id for trace in traced}
        self._store.advance(progress, traced=ids, to_judge=to_judge, now=self._clock())
        metrics.OBSERVED.labels("traced").inc(len(traced))
        metrics.OBSERVED.labels("passed_over").inc(len(page.answers) - len(chosen))
        metrics.OBSERVED.labels("lost").inc(page.unreadable + len(chosen) - len(traced))

    def _trace(self, answers: Sequence[AnswerRecord]) -> list[Trace]:
        """The traces that were kept. Where all at once are refused, one after the other finds which it is."""
        traces = [trace_of(answer, self._names) for answer in answers]
        if not traces:
            return []
        try:
            self._traces.keep(traces)
        except Refused:
            return [trace for trace in traces if self._is_kept(trace)]
        return traces

    def _is_kept(self, trace: Trace) -> bool:
        return self._is_taken(trace.answer_id, lambda: self._traces.keep([trace]))

    def _is_taken(self, key: str, attempt: Callable[[], None]) -> bool:
        """Whether it worked; False when it was refused so often that it is given up. Raises Refused before that."""
        try:
            attempt()
        except Refused as exc:
            self._refusals[key] += 1
            if self._refusals[key] < PATIENCE:
                raise
            log.error("given_up", what=key, reason=str(exc)[:300])
            del self._refusals[key]
            return False
        self._refusals.pop(key, None)
        return True

    def _observe_votes(self, ends: float) -> None:
        for kept in self._store.votes(limit=PAGE):
            if time.monotonic() > ends:
                return
            self._observe_vote(kept)

    def _observe_vote(self, kept: KeptVote) -> None:
        assessment = of_vote(kept, self._names)
        try:
            taken = self._is_taken(kept.id, lambda: self._assess(kept.vote.answer, [assessment]))
        except Refused as exc:  # the others need not wait for this one
            metrics.OBSERVE_FAILURES.labels("votes").inc()
            log.info("not_observed", part="votes", vote=kept.id, reason=str(exc)[:300])
            return
        self._store.vote_observed(kept)
        metrics.OBSERVED_VOTES.labels("assessed" if taken else "lost").inc()

    def _assess(self, answer: AnswerRecord, assessments: Sequence[Assessment]) -> None:
        """Put opinions at the answer's trace; an answer that has none gets one now."""
        trace_id = self._store.trace_of(answer.answer_id)
        try:
            self._traces.assess(trace_id or self._traced_now(answer), assessments)
        except TraceMissing:  # somebody deleted it, or MLflow was begun anew
            self._traces.assess(self._traced_now(answer), assessments)

    def _traced_now(self, answer: AnswerRecord) -> str:
        trace = trace_of(answer, self._names)
        self._traces.keep([trace])
        self._store.traced(answer.answer_id, trace.id, now=self._clock())
        return trace.id

    def _judge_answers(self, _: float) -> None:
        for verdict in self._judge.verdicts():
            self._take(verdict)
        now = self._clock()
        for answer in self._store.take_to_judge(limit=self._judge.room(), now=now, until=now + JUDGING_TAKES):
            self._judge.judge(case_of(answer))
        metrics.JUDGEMENTS_WAITING.set(self._store.waiting())

    def _take(self, verdict: Verdict) -> None:
        now = self._clock()
        if verdict.failure is not None:
            given_up = self._store.not_judged(verdict, now=now)
            metrics.JUDGEMENTS.labels("failed" if given_up else "put_off").inc()
            log.warning("not_judged", answer=verdict.answer_id, given_up=given_up, reason=verdict.failure[:300])
            return
        judgement = self._store.judged(verdict, self._judge.name, now=now)
        if judgement is not None:
            metrics.count_judgement(judgement.release, judgement.scores, seconds=verdict.seconds)

    def _show_judgements(self, ends: float) -> None:
        for answer, judgement in self._store.to_show(limit=PAGE):
            if time.monotonic() > ends:
                return
            self._show(answer, of_judgement(judgement))

    def _show(self, answer: AnswerRecord, opinions: Sequence[Assessment]) -> None:
        self._is_taken(f"judgement of {answer.answer_id}", lambda: self._assess(answer, opinions))
        self._store.shown(answer.answer_id)
