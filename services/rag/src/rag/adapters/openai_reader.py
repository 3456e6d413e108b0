"""A reader on an OpenAI-compatible server: vLLM, llama.cpp, Ollama, or a paid API."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import structlog
from grounding.annotate import Annotator
from grounding.chat_stream import Chunk, StreamBroken, error_message, parse_line
from grounding.evidence import Evidence
from grounding.messages import ABSTENTION, Message, Shown, TooLong, fitted
from opskit.contracts.reader import ReaderDelta, ReaderRequest, ReaderResult, Support, TokenUsage
from opskit.errors import InvalidRequest, Unavailable

from rag import metrics
from rag.breaker import Breaker
from rag.errors import Busy, ReaderFailed
from rag.prompt import estimated_tokens
from rag.remote_model import RemoteModel

log = structlog.get_logger(__name__)

TRIES = 3
FIRST_WAIT_SECONDS = 0.25
LONGEST_WAIT_SECONDS = 5.0
_AGAIN = frozenset((429, 500, 502, 503, 504, 529))
"""Statuses after which asking again may help."""
_CHECK_EVERY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Terms:
    """How a server is used. `silence_seconds` is the longest pause between two pieces of an answer; prices are in US
    dollars per million tokens."""

    api_key: str = field(default="", repr=False)
    context: int = 8192
    silence_seconds: float = 30.0
    price_read: float = 0.0
    price_written: float = 0.0


class _TryAgain(Exception):
    """It failed before the first word, in a way that may pass."""

    def __init__(self, reason: str, *, after: float = 0.0) -> None:
        super().__init__(reason)
        self.after = after


class OpenAiReader:
    """Asks one model of one server."""

    def __init__(self, model: RemoteModel, terms: Terms, breaker: Breaker | None = None) -> None:
        self._model, self._terms = model, terms
        self._breaker = breaker or Breaker()
        timeout = httpx.Timeout(terms.silence_seconds, connect=5.0)
        headers = {"authorization": f"Bearer {terms.api_key}"} if terms.api_key else {}
        self._client = httpx.AsyncClient(base_url=model.base_url, headers=headers, timeout=timeout)
        self._checked: tuple[float, str | None] = (float("-inf"), None)

    async def close(self) -> None:
        await self._client.aclose()

    async def check(self) -> None:
        """Return when the server is there and lets us in. Raises Unavailable with what to do."""
        when, trouble = self._checked
        if time.monotonic() - when > _CHECK_EVERY_SECONDS:
            trouble = await self._trouble()
            self._checked = (time.monotonic(), trouble)
        if trouble or self._breaker.is_open:
            raise Unavailable(trouble or f"The model server at {self._model.base_url} fails again and again.")

    async def read(
        self, request: ReaderRequest, *, model: str, seconds: float
    ) -> AsyncGenerator[ReaderDelta | ReaderResult, None]:
        """Deltas as the model writes them, each sentence checked behind it, then one result. Closing the generator
        closes the connection, and with it ends the work. `model` is a name in Triton and means nothing there.

        Raises:
            Busy: the server failed so often that it is left alone for a while.
            InvalidRequest: the question does not fit the model's context.
            ReaderFailed: it refused, broke off or was silent; the message says which.
        """
        abstention = request.prompt.get("abstention") or ABSTENTION
        messages, passages = self._messages(request, abstention)
        evidence = [Evidence(one.number, one.text, f"{one.title} {one.heading}") for one in passages]
        annotator = Annotator(request.question, evidence, abstention)
        read, written, text, ended = 0, 0, "", False
        try:
            async with asyncio.timeout(seconds), self._answering(messages, request.limits.max_answer_tokens) as chunks:
                async for chunk in chunks:
                    read, written = chunk.prompt_tokens or read, chunk.completion_tokens or written
                    ended = ended or chunk.finish is not None
                    text += chunk.text
                    if chunk.text and (words := annotator.feed(chunk.text)):
                        yield ReaderDelta(text=words)
        except TimeoutError as exc:
            raise ReaderFailed(f"The model did not finish within {seconds:g} seconds.") from exc
        if not ended:
            raise self._gave_up("it broke off in the middle of an answer")
        rest, grounded = annotator.finish()
        if rest:
            yield ReaderDelta(text=rest)
        usage = TokenUsage(
            prompt_tokens=read or sum(estimated_tokens(one["content"]) for one in messages),
            completion_tokens=written or estimated_tokens(text),
        )
        self._count(usage)
        yield ReaderResult(
            answer=grounded.answer,
            short=grounded.short,
            supports=[Support(passage=one.passage, start=one.start, end=one.end) for one in grounded.supports],
            abstained=grounded.abstained,
            confidence=grounded.confidence,
            usage=usage,
        )

    def _messages(self, request: ReaderRequest, abstention: str) -> tuple[list[Message], list[Shown]]:
        passages = [Shown(one.number, one.text, one.title, one.heading) for one in request.passages]
        try:
            messages, shown = fitted(
                request.question,
                passages,
                [{"role": turn.role, "content": turn.content} for turn in request.history],
                instructions=request.prompt.get("instructions", ""),
                abstention=abstention,
                room=self._terms.context - request.limits.max_answer_tokens,
                count=lambda messages: sum(estimated_tokens(one["content"]) + 8 for one in messages),
            )
        except TooLong as exc:
            raise InvalidRequest(str(exc)) from exc
        return messages, passages[:shown]

    @asynccontextmanager
    async def _answering(self, messages: list[Message], max_tokens: int) -> AsyncIterator[AsyncIterator[Chunk]]:
        """The chunks of an answer that has begun: until its first piece is here it is asked for again where that may
        help, and afterwards never, because words that were shown cannot be unsaid."""
        if (wait := self._breaker.wait()) > 0:
            raise Busy("The model server fails at the moment; try again soon.", retry_after=round(wait + 0.5))
        body = {
            "model": self._model.model,
            "messages": messages,
            "max_tokens": max_tokens,
            "temperature": 0,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        try:
            for number in range(1, TRIES + 1):
                try:
                    async with self._begun(body) as chunks:
                        self._breaker.worked()
                        yield chunks
                        return
                except _TryAgain as exc:
                    if number == TRIES:
                        raise self._gave_up(str(exc)) from exc
                    metrics.MODEL_RETRIES.labels(self._model.model).inc()
                    await asyncio.sleep(max(exc.after, FIRST_WAIT_SECONDS * 2 ** (number - 1)))
        finally:
            self._breaker.given_up()

    @asynccontextmanager
    async def _begun(self, body: dict[str, object]) -> AsyncIterator[AsyncIterator[Chunk]]:
        begun = False
        try:
            async with self._client.stream("POST", "/chat/completions", json=body) as response:
                if response.status_code != httpx.codes.OK:
                    await response.aread()
                    raise self._refused(response)
                chunks = self._chunks(response)
                first = await anext(chunks, Chunk())
                begun = True
                yield _after(first, chunks)
        except StreamBroken as exc:
            raise self._gave_up(str(exc)) from exc
        except httpx.TransportError as exc:
            if isinstance(exc, httpx.ReadTimeout):
                raise self._gave_up(f"it was silent for {self._terms.silence_seconds:g} s") from exc
            if begun:
                raise self._gave_up(f"it broke off in the middle of an answer ({exc!r})") from exc
            raise _TryAgain(repr(exc)) from exc

    @staticmethod
    async def _chunks(response: httpx.Response) -> AsyncGenerator[Chunk, None]:
        async for line in response.aiter_lines():
            if (chunk := parse_line(line)) is not None:
                yield chunk

    def _refused(self, response: httpx.Response) -> Exception:
        said = error_message(response.text)
        if response.status_code in _AGAIN:
            return _TryAgain(f"{response.status_code}: {said}", after=_retry_after(response))
        if response.status_code in (401, 403):
            return ReaderFailed("The model server refuses our key: check NEXUS_MODEL_API_KEY.")
        if response.status_code == httpx.codes.NOT_FOUND:
            return ReaderFailed(f"The model server has no {self._model.model}, or no chat there: {said}")
        return ReaderFailed(f"The model server refused the question ({response.status_code}): {said}")

    def _gave_up(self, reason: str) -> ReaderFailed:
        self._breaker.failed()
        metrics.MODEL_FAILURES.labels(self._model.model).inc()
        log.warning("model_server_failed", base_url=self._model.base_url, model=self._model.model, reason=reason)
        return ReaderFailed(f"The model server at {self._model.base_url} failed: {reason}")

    async def _trouble(self) -> str | None:
        try:
            response = await self._client.get("/models", timeout=1.5)
        except httpx.HTTPError as exc:
            return f"The model server at {self._model.base_url} cannot be reached ({exc!r})."
        if response.status_code in (401, 403):
            return "The model server refuses our key: check NEXUS_MODEL_API_KEY."
        return None if response.status_code < 500 else f"The model server answers {response.status_code}."

    def _count(self, usage: TokenUsage) -> None:
        metrics.MODEL_TOKENS.labels(self._model.model, "read").inc(usage.prompt_tokens)
        metrics.MODEL_TOKENS.labels(self._model.model, "written").inc(usage.completion_tokens)
        cost = usage.prompt_tokens * self._terms.price_read + usage.completion_tokens * self._terms.price_written
        metrics.MODEL_COST.labels(self._model.model).inc(cost / 1_000_000)


async def _after(first: Chunk, rest: AsyncIterator[Chunk]) -> AsyncIterator[Chunk]:
    yield first
    async for chunk in rest:
        yield chunk


def _retry_after(response: httpx.Response) -> float:
    value = response.headers.get("retry-after", "")
    return min(float(value), LONGEST_WAIT_SECONDS) if value.replace(".", "", 1).isdigit() else 0.0
