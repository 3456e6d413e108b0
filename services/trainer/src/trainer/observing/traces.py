"""How an answer looks as a trace: which spans, from when to when, with what in them. Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from opskit.contracts.answers import AnswerRecord
from opskit.contracts.reader import Passage

from trainer.observing.pseudonyms import Pseudonyms

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NS_PER_MS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Span:
    """One step. Times are nanoseconds since 1970; `kind` is one of MLflow's span types."""

    id: str
    parent: str | None
    name: str
    kind: str
    start: int
    end: int
    inputs: Any
    outputs: Any
    attributes: Mapping[str, Any] = field(default_factory=dict)
    events: Mapping[str, int] = field(default_factory=dict)
    """Points in time by name."""


@dataclass(frozen=True, slots=True)
class Trace:
    """One answer. The ids are made of the answer's own: whoever traces it again writes over what is there."""

    answer_id: str
    id: str
    """32 hexadecimal digits."""
    session: str
    tags: Mapping[str, str]
    spans: tuple[Span, ...]
    """The answer itself, then its steps in their order."""


def trace_of(answer: AnswerRecord, names: Pseudonyms) -> Trace:
    """The trace of an answer, rebuilt from what rag kept of it."""
    trace_id = _id(answer.answer_id, digits=32)
    session = names.conversation(answer.tenant, answer.conversation_id)
    return Trace(answer.answer_id, trace_id, session, _tags(answer, names), _spans(answer))


def _tags(answer: AnswerRecord, names: Pseudonyms) -> dict[str, str]:
    return {
        "nexus.answer": answer.answer_id,
        "nexus.release": answer.release,
        "nexus.tenant": names.tenant(answer.tenant),
        "nexus.knowledge_base": names.knowledge_base(answer.tenant, answer.knowledge_base),
        "nexus.outcome": answer.outcome,
    }


def _spans(answer: AnswerRecord) -> tuple[Span, ...]:
    start, end = _began(answer), _nanoseconds(answer.created_at)
    whole = Span(
        _id(answer.answer_id, "answer", digits=16),
        None,
        "answer",
        "CHAIN",
        start,
        end,
        {"question": answer.question},
        {
            "answer": answer.answer,
            "abstained": answer.abstained,
            "citations": [one.model_dump(mode="json") for one in answer.citations],
        },
        _facts(answer),
    )
    return (whole, *_steps(answer, whole))


def _steps(answer: AnswerRecord, whole: Span) -> list[Span]:
    """The steps follow one another from the beginning. What was not done has no span."""
    steps, at = [], whole.start
    for name, (kind, inputs, outputs, attributes) in _work(answer).items():
        until = min(at + _taken(answer, name), whole.end)
        events = {"first_token": _first_token(answer, whole)} if name == "read" and _spoke(answer) else {}
        step_id = _id(answer.answer_id, name, digits=16)
        steps.append(Span(step_id, whole.id, name, kind, at, until, inputs, outputs, attributes, events))
        at = until
    return steps


def _work(answer: AnswerRecord) -> dict[str, tuple[str, Any, Any, dict[str, Any]]]:
    """Kind, inputs, outputs and attributes of each step that was done."""
    question, passages = answer.question, [_document(one) for one in answer.passages]
    work: dict[str, tuple[str, Any, Any, dict[str, Any]]] = {
        "understand": ("CHAIN", None, {"question": question}, {}),
    }
    if "retrieve" in answer.timings or passages:
        work["retrieve"] = ("RETRIEVER", {"question": question}, passages, {})
    if passages:
        said = {"answer": answer.answer, "abstained": answer.abstained}
        work["read"] = ("LLM", {"question": question, "passages": len(passages)}, said, _tokens(answer))
    return work


def _document(passage: Passage) -> dict[str, Any]:
    """A passage as MLflow shows documents."""
    about = passage.model_dump(mode="json", exclude={"text"})
    return {"page_content": passage.text, "metadata": about, "id": str(passage.number)}


def _tokens(answer: AnswerRecord) -> dict[str, Any]:
    if answer.usage is None:
        return {}
    read, written = answer.usage.prompt_tokens, answer.usage.completion_tokens
    usage = {"input_tokens": read, "output_tokens": written, "total_tokens": read + written}
    return {"mlflow.chat.tokenUsage": usage}


def _facts(answer: AnswerRecord) -> dict[str, Any]:
    """What else is known of the answer."""
    facts: dict[str, Any] = {"nexus.timings": dict(answer.timings), "nexus.confidence": answer.confidence}
    if answer.scores is not None:
        facts["nexus.scores"] = answer.scores.model_dump(mode="json")
    return {name: value for name, value in facts.items() if value not in (None, {})}


def _began(answer: AnswerRecord) -> int:
    """`created_at` is when the answer was whole; records of earlier versions know nothing of what was before."""
    steps = sum(_taken(answer, name) for name in ("understand", "retrieve", "read"))
    return _nanoseconds(answer.created_at) - max(steps, _taken(answer, "total"))


def _first_token(answer: AnswerRecord, whole: Span) -> int:
    return min(whole.start + _taken(answer, "first_token"), whole.end)


def _spoke(answer: AnswerRecord) -> bool:
    return "first_token" in answer.timings


def _taken(answer: AnswerRecord, name: str) -> int:
    return round(max(0.0, answer.timings.get(name, 0.0)) * _NS_PER_MS)


def _nanoseconds(at: datetime) -> int:
    since = at - _EPOCH
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1_000


def _id(*parts: str, digits: int) -> str:
    return hashlib.sha256("/".join(("nexus", *parts)).encode()).hexdigest()[:digits]
