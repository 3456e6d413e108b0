"""The generative reader: a language model writes the answer, and each sentence is checked against the passages."""

import threading
from collections.abc import Callable, Iterator

from grounding.annotate import Annotator
from grounding.chat_stream import StreamBroken
from grounding.evidence import Evidence
from grounding.messages import ABSTENTION, Message, Shown, TooLong, fitted

from nexus_serving.engines.contract import Delta, InvalidRequest, ReaderFailed, ReaderRequest, Result, Support
from nexus_serving.llama.client import ServerGone, chat, count_tokens
from nexus_serving.llama.process import Address, LlamaServer, LoadFailed

Cancelled = Callable[[], bool]
SPARE = 8
"""Tokens left between prompt, answer and the end of the context."""
SHORTEST_ANSWER = 64
"""Tokens kept for the answer at least, when the context is small."""


class GenerativeReader:
    """Answers with the model of a llama.cpp server. Safe to be called from many threads at once."""

    def __init__(self, server: LlamaServer) -> None:
        self._server = server
        self.at_once = 4 * server.serving.slots  # more than it answers at a time: those behind wait in its own queue
        try:
            server.address()
        except LoadFailed as error:
            raise ReaderFailed(str(error)) from error

    def close(self) -> None:
        self._server.close()

    def answer(self, request: ReaderRequest, cancelled: Cancelled = lambda: False) -> Iterator[Delta | Result]:
        """The answer's wording as the model writes it, then the result; ends early, without one, when cancelled.

        Raises:
            InvalidRequest: the question does not fit the model's context.
            ReaderFailed: the server died, hangs or refuses; the message says which.
        """
        try:
            yield from self._answered_by_whoever_lives(request, cancelled)
        except TooLong as error:
            raise InvalidRequest(str(error)) from error
        except LoadFailed as error:
            raise ReaderFailed(str(error)) from error
        except ServerGone as error:
            # What it was at is lost, but who asks next should not find it down.
            threading.Thread(target=self._revive, daemon=True).start()
            raise ReaderFailed(f"the language model's server broke off ({self._server.last_words()})") from error
        except StreamBroken as error:
            raise ReaderFailed(str(error)) from error

    def _answered_by_whoever_lives(self, request: ReaderRequest, cancelled: Cancelled) -> Iterator[Delta | Result]:
        """A server that died before it said anything has lost nothing that a new one could not say."""
        said = False
        try:
            for event in self._answered(request, cancelled):
                said = True
                yield event
        except ServerGone:
            if said:
                raise
            self._server.after_breaking_off()
            yield from self._answered(request, cancelled)

    def _answered(self, request: ReaderRequest, cancelled: Cancelled) -> Iterator[Delta | Result]:
        address = self._server.address()
        abstention = request.prompt.get("abstention") or ABSTENTION
        budget = min(request.max_answer_tokens, max(SHORTEST_ANSWER, self._server.serving.context // 4))
        messages, shown = self._messages(address, request, abstention, budget)
        evidence = [Evidence(one.number, one.text, f"{one.title} {one.heading}") for one in request.passages[:shown]]
        annotator = Annotator(request.question, evidence, abstention)
        read, said, ended = 0, 0, False
        for chunk in chat(address, messages, budget, cancelled):
            read, said = chunk.prompt_tokens or read, chunk.completion_tokens or said
            ended = ended or chunk.finish is not None
            if chunk.text and (words := annotator.feed(chunk.text)):
                yield Delta(words)
        if cancelled():
            return
        if not ended:
            raise ServerGone("it ended in the middle of an answer")
        rest, grounded = annotator.finish()
        if rest:
            yield Delta(rest)
        supports = tuple(Support(one.passage, one.start, one.end) for one in grounded.supports)
        yield Result(grounded.answer, grounded.short, grounded.abstained, grounded.confidence, read, said, supports)

    def _messages(
        self, address: Address, request: ReaderRequest, abstention: str, budget: int
    ) -> tuple[list[Message], int]:
        passages = [Shown(one.number, one.text, one.title, one.heading) for one in request.passages]
        history = [{"role": role, "content": content} for role, content in request.history]
        return fitted(
            request.question,
            passages,
            history,
            instructions=request.prompt.get("instructions", ""),
            abstention=abstention,
            room=self._server.serving.context - budget - SPARE,
            count=lambda messages: count_tokens(address, messages),
        )

    def _revive(self) -> None:
        try:
            self._server.address()
        except LoadFailed:
            return  # said in its log, and again to whoever asks next
