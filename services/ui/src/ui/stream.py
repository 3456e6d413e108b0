"""Reading a streamed answer: from the data of server-sent events to answer events. Pure."""

import json
from collections.abc import Iterator
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ui.errors import Broken, Interrupted
from ui.models import AnswerEvent, Citation, Delta, Finished, StreamEnd

DONE = "[DONE]"
_CITATIONS = TypeAdapter(tuple[Citation, ...])


class AnswerReader:
    """Takes the data of one event after the other. Knows the answer's id and its end when they have come."""

    def __init__(self) -> None:
        self._answer_id = ""
        self._citations: tuple[Citation, ...] = ()
        self._end: StreamEnd | None = None
        self.done = False

    def read(self, data: str) -> Iterator[AnswerEvent]:
        """The answer events of one event's data. A broken or failed stream raises, so no half answer looks whole."""
        if data.strip() == DONE:
            yield self._finish()
            return
        chunk = _object(data)
        if "error" in chunk:
            raise Interrupted(_message(chunk["error"]))
        self._answer_id = str(chunk.get("id") or self._answer_id)
        self._keep_the_end(chunk)
        if text := _delta(chunk):
            yield Delta(text)

    def _keep_the_end(self, chunk: dict[str, Any]) -> None:
        try:
            if chunk.get("citations") is not None:
                self._citations = _CITATIONS.validate_python(chunk["citations"])
            if chunk.get("nexus") is not None:
                self._end = StreamEnd.model_validate(chunk["nexus"])
        except ValidationError as exc:
            raise Broken("The answer's sources came in a shape this chatbot does not understand.") from exc

    def _finish(self) -> Finished:
        self.done = True
        end = self._end or StreamEnd()
        return Finished(
            answer_id=self._answer_id,
            citations=self._citations,
            abstained=end.abstained,
            release=end.release,
            conversation_id=end.conversation_id,
            timings=end.timings,
        )


def _object(data: str) -> dict[str, Any]:
    try:
        chunk = json.loads(data)
    except ValueError as exc:
        raise Interrupted("A part of the answer came garbled.") from exc
    if not isinstance(chunk, dict):
        raise Interrupted("A part of the answer came garbled.")
    return chunk


def _delta(chunk: dict[str, Any]) -> str:
    choices = chunk.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else {}
    delta = first.get("delta") if isinstance(first, dict) else {}
    content = delta.get("content") if isinstance(delta, dict) else ""
    return content if isinstance(content, str) else ""


def _message(error: Any) -> str:
    return str(error.get("message", "")) if isinstance(error, dict) else str(error)
