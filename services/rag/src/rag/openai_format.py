"""Answers as OpenAI's clients want them, written straight to bytes. Pure."""

import base64
from typing import Any, Final

import orjson
from opskit.contracts.answers import AnswerRecord
from opskit.contracts.reader import TokenUsage
from opskit.errors import error_body

from rag.answer import Finished
from rag.ports import Embedded

DONE: Final = b"data: [DONE]\n\n"


class StreamFormat:
    """The chunks of one answer."""

    def __init__(self, answer_id: str, *, model: str, created: int) -> None:
        self._answer_id = answer_id
        self._model = model
        self._created = created

    def words(self, text: str, *, first: bool) -> bytes:
        """A piece of the wording; the first one names the role."""
        role = {"role": "assistant"} if first else {}
        return _event(self._chunk({**role, "content": text}, None))

    def last(self, finished: Finished) -> bytes:
        """The chunk with everything that is known at the end."""
        return _event({**self._chunk({}, "stop"), **_extras(finished)})

    def _chunk(self, delta: dict[str, str], finish_reason: str | None) -> dict[str, Any]:
        return {
            "id": self._answer_id,
            "object": "chat.completion.chunk",
            "created": self._created,
            "model": self._model,
            "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}],
        }


def error_event(message: str, *, type: str, code: str) -> bytes:
    """What ends a stream that broke; OpenAI's clients raise it."""
    return _event(error_body(message, type=type, code=code))


def completion(finished: Finished, *, model: str, created: int) -> bytes:
    """A whole answer."""
    record = finished.record
    message = {"role": "assistant", "content": record.answer, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return orjson.dumps(
        {
            "id": record.answer_id,
            "object": "chat.completion",
            "created": created,
            "model": model,
            "choices": [choice],
            **_extras(finished),
        }
    )


def embeddings(embedded: Embedded, *, model: str, as_base64: bool) -> bytes:
    """Vectors, as numbers or as the bytes of little-endian 32-bit floats."""
    rows: list[Any] = list(embedded.vectors)
    if as_base64:
        rows = [base64.b64encode(row.astype("<f4").tobytes()).decode() for row in rows]
    data = [{"object": "embedding", "index": index, "embedding": row} for index, row in enumerate(rows)]
    tokens = sum(embedded.tokens)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    body = {"object": "list", "data": data, "model": model, "usage": usage}
    return orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)


def _extras(finished: Finished) -> dict[str, Any]:
    """Usage comes last: the gateway counts by an answer's tail."""
    record = finished.record
    return {
        "citations": [citation.model_dump() for citation in record.citations],
        "nexus": _details(record, finished.timings),
        "usage": _usage(finished.usage),
    }


def _details(record: AnswerRecord, timings: dict[str, float]) -> dict[str, Any]:
    return {
        "release": record.release,
        "abstained": record.abstained,
        "conversation_id": record.conversation_id,
        "knowledge_base": record.knowledge_base,
        "timings": timings,
    }


def _usage(usage: TokenUsage) -> dict[str, int]:
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }


def _event(body: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(body) + b"\n\n"
