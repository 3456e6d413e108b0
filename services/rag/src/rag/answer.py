"""From a question to an answer, in named steps: understand, retrieve, prompt, read, verify, record."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

import structlog
from opskit.contracts.answers import AnswerRecord
from opskit.contracts.reader import Passage, ReaderDelta, ReaderRequest, ReaderResult, TokenUsage
from opskit.contracts.trials import TrialAnswer
from opskit.errors import Unavailable

from rag import metrics, prompt
from rag.candidates import related, worth_reading
from rag.errors import Busy, ReaderFailed
from rag.ports import Conversations, Embedder, Found, Ranker, Reader, Retriever
from rag.ranking import reordered
from rag.recording import Recorder, count
from rag.retrieve import retrieve
from rag.scoring import scores_of
from rag.serving import Line, Lines
from rag.slots import ReaderSlots
from rag.stopwatch import Stopwatch
from rag.understanding import Ask, Understood, earlier_exchanges, question_of, understand
from rag.verdict import Verdict, verdict_on

log = structlog.get_logger(__name__)

NOT_KNOWN = "unknown"
"""The release of an answer that failed before the models were known."""

Shown = list[tuple[Passage, Found]]


@dataclass(frozen=True, slots=True)
class Words:
    """The next piece of the answer's wording."""

    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of an answer; everything about it is kept when this comes."""

    record: AnswerRecord
    usage: TokenUsage
    timings: dict[str, float]


@dataclass(frozen=True, slots=True)
class Spoken:
    """What was said in the end."""

    verdict: Verdict
    usage: TokenUsage
    shown: Shown
    confidence: float | None = None
    short: str = ""


Step = Words | Spoken


class Answering:
    """The pipeline."""

    def __init__(
        self,
        *,
        lines: Lines,
        embedder: Embedder,
        retriever: Retriever,
        reader: Reader,
        ranker: Ranker | None,
        slots: ReaderSlots,
        conversations: Conversations,
        recorder: Recorder,
        seconds: float,
    ) -> None:
        self._lines, self._embedder, self._retriever, self._reader = lines, embedder, retriever, reader
        self._ranker = ranker
        self._slots, self._conversations, self._recorder = slots, conversations, recorder
        self._seconds = seconds

    async def can_be_asked(self, release: str) -> bool:
        """Whether a release may be asked by its id."""
        return await self._lines.named(release) is not None

    async def answer(self, ask: Ask) -> AsyncGenerator[Words | Finished, None]:
        """The wording piece by piece, then the end. Closing the generator stops all work on the answer."""
        watch, said, complete = Stopwatch(), False, False
        try:
            lines = await self._lines_for(ask)
        except Exception:
            metrics.ANSWERS.labels(NOT_KNOWN, "error").inc()
            raise
        for place, line in enumerate(lines, start=1):
            try:
                async with aclosing(self._steps(ask, line, watch)) as events:
                    async for event in events:
                        said, complete = True, isinstance(event, Finished)
                        yield event
                return
            except (asyncio.CancelledError, GeneratorExit):
                if not complete:
                    metrics.ANSWERS_ABANDONED.inc()
                raise
            except Unavailable as exc:
                metrics.ANSWERS.labels(line.release, "error").inc()
                if said or place == len(lines) or isinstance(exc, Busy):
                    raise
                metrics.STEPPED_IN.labels(line.release).inc()
                log.warning("another_release_steps_in", release=line.release, reason=exc.message)
            except Exception:
                metrics.ANSWERS.labels(line.release, "error").inc()
                raise

    async def tried(self, ask: Ask, line: Line) -> TrialAnswer:
        """What a release says to a question by itself: nothing is kept, remembered or counted as a user's answer."""
        watch = Stopwatch()
        understood = await self._understand(ask, line)
        async with aclosing(self._said(ask, line, understood, watch)) as said:
            (spoken,) = [event async for event in said if isinstance(event, Spoken)]
        verdict = spoken.verdict
        return TrialAnswer(
            answer=verdict.text,
            short="" if verdict.abstained else spoken.short,
            abstained=verdict.abstained,
            citations=verdict.citations,
            passages=[passage for passage, _ in spoken.shown],
            confidence=spoken.confidence,
            seconds=watch.mark("total"),
        )

    async def _lines_for(self, ask: Ask) -> list[Line]:
        if ask.release is None:
            return await self._lines.of(ask.conversation_id)
        line = await self._lines.named(ask.release)
        return [await self._lines.champion() if line is None else line]

    async def _steps(self, ask: Ask, line: Line, watch: Stopwatch) -> AsyncGenerator[Words | Finished, None]:
        understood = await self._understand(ask, line)
        watch.lap("understand")
        spoken: Spoken | None = None
        async with aclosing(self._said(ask, line, understood, watch)) as said:
            async for event in said:
                if isinstance(event, Spoken):
                    spoken = event
                    continue
                if "first_token" not in watch.timings:
                    metrics.FIRST_TOKEN_SECONDS.labels(line.release).observe(watch.mark("first_token"))
                yield event
        assert spoken is not None, "whatever was said ends with a verdict"
        watch.lap("read")
        record = _record(ask, understood, spoken, line.release, watch.so_far())
        await self._recorder.keep(record, asked=understood.asked)
        watch.lap("record")
        count(record, spoken.verdict, spoken.usage, seconds=watch.mark("total"))
        yield Finished(record, spoken.usage, watch.timings)

    async def _understand(self, ask: Ask, line: Line) -> Understood:
        asked = question_of(ask.messages)
        history = earlier_exchanges(ask.messages)
        if not history and not ask.is_new_conversation:
            history = await self._conversations.history(ask.tenant, ask.conversation_id)
        return understand(asked, history, turns=line.settings.prompt.history_turns)

    async def _said(self, ask: Ask, line: Line, understood: Understood, watch: Stopwatch) -> AsyncGenerator[Step, None]:
        wording = line.settings.prompt.wording
        if understood.talk is not None:
            reply = Verdict(getattr(wording, understood.talk.value), [], abstained=False)
            usage = await self._counted(understood.asked, reply.text)
            yield Words(reply.text)
            yield Spoken(reply, usage, [])
            return
        found = await self._found(ask, line, understood) if ask.given is None else list(ask.given)
        shown = await self._shown(ask, line, understood, found)
        watch.lap("retrieve")
        if not shown:
            nothing = Verdict(wording.abstention if found else wording.empty, [], abstained=True)
            usage = await self._counted(understood.asked, nothing.text)
            yield Words(nothing.text)
            yield Spoken(nothing, usage, [])
            return
        request = prompt.reader_request(
            understood.question,
            [passage for passage, _ in shown],
            understood.history,
            line.settings.prompt,
            max_answer_tokens=ask.max_tokens,
        )
        async with aclosing(self._read(request, line, shown)) as spoken:
            async for event in spoken:
                yield event

    async def _found(self, ask: Ask, line: Line, understood: Understood) -> list[Found]:
        return await retrieve(
            self._retriever,
            understood.question,
            tenant=ask.tenant,
            knowledge_base=ask.knowledge_base,
            wanted=_most(ask, line),
            settings=line.settings.retrieval,
        )

    async def _shown(self, ask: Ask, line: Line, understood: Understood, found: list[Found]) -> Shown:
        if ask.given is not None:
            return prompt.numbered(found, budget=line.settings.prompt.passage_tokens, most=len(found))
        settings, most = line.settings.retrieval, _most(ask, line)
        near = related(found, understood.question, similar_from=settings.similar_from)
        chosen = worth_reading(near, per_document=settings.passages_per_document)
        candidates = list(islice(chosen, 2 * most))
        if self._ranker is not None and candidates:
            most = ask.passages or settings.passages_written
            weight = settings.rank_weight
            candidates = await self._ranked(self._ranker, understood.question, candidates, rank_weight=weight)
        return prompt.numbered(candidates, budget=line.settings.prompt.passage_tokens, most=most)

    async def _ranked(
        self, ranker: Ranker, question: str, candidates: list[Found], *, rank_weight: float
    ) -> list[Found]:
        """In the order in which they answer; as search ranked them when nobody can tell."""
        try:
            scores = await ranker.scores(question, [one.text for one in candidates])
        except Unavailable as exc:
            metrics.NOT_RANKED.inc()
            log.warning("passages_not_ranked", reason=exc.message, cause=repr(exc.__cause__))
            return candidates
        return reordered(candidates, scores, rank_weight=rank_weight)

    async def _read(self, request: ReaderRequest, line: Line, shown: Shown) -> AsyncGenerator[Step, None]:
        """The reader's words. They are held back until their citations are checked, when the release wants it so;
        otherwise they go out at once, and an answer that does not hold is taken back in words."""
        wanted = line.settings.prompt.hold_until_verified
        hold = not line.writes if wanted is None else wanted
        held: list[str] = []
        result: ReaderResult | None = None
        async with self._slots.taken(), aclosing(self._words_of(request, line)) as events:
            async for event in events:
                if isinstance(event, ReaderResult):
                    result = event
                elif hold:
                    held.append(event.text)
                else:
                    yield Words(event.text)
        if result is None:
            raise ReaderFailed("The reader ended without a result.")
        verdict = verdict_on(result, shown, abstention=line.settings.prompt.wording.abstention, spoken=not hold)
        for text in _rest(held, result, verdict) if hold else _taken_back(verdict):
            yield Words(text)
        yield Spoken(verdict, result.usage, shown, result.confidence, result.short)

    def _words_of(self, request: ReaderRequest, line: Line) -> AsyncGenerator[ReaderDelta | ReaderResult, None]:
        return self._reader.read(request, model=line.reader_model, seconds=self._seconds)

    async def _counted(self, question: str, reply: str) -> TokenUsage:
        """Real token counts of an answer that no reader gave."""
        read, said = (await self._embedder.embed([question, reply])).tokens
        return TokenUsage(prompt_tokens=read, completion_tokens=said)


def _most(ask: Ask, line: Line) -> int:
    return ask.passages or line.settings.retrieval.passages


def _record(ask: Ask, understood: Understood, spoken: Spoken, release: str, timings: dict[str, float]) -> AnswerRecord:
    verdict = spoken.verdict
    return AnswerRecord(
        answer_id=ask.answer_id,
        tenant=ask.tenant,
        knowledge_base=ask.knowledge_base,
        conversation_id=ask.conversation_id,
        release=release,
        question=understood.question,
        answer=verdict.text,
        abstained=verdict.abstained,
        outcome="abstained" if verdict.abstained else "answered",
        citations=verdict.citations,
        passages=[passage for passage, _ in spoken.shown],
        created_at=datetime.now(UTC),
        confidence=spoken.confidence,
        timings=timings,
        scores=scores_of(understood.question, verdict, [found for _, found in spoken.shown]),
        usage=spoken.usage,
    )


def _rest(held: list[str], result: ReaderResult, verdict: Verdict) -> list[str]:
    """What is said of held words when the verdict is known."""
    return held if verdict.text == "".join(held) == result.answer else [verdict.text]


def _taken_back(verdict: Verdict) -> list[str]:
    """What is added to words already said."""
    return [f"\n\n{verdict.text}"] if verdict.withdrawn else []
