"""Asking a reader questions whose answers are known, and scoring what it says, question by question."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

from nexus_serving.engines.contract import Passage, ReaderFailed, ReaderRequest, Result
from nexus_serving.engines.opening import Reader

from trainer.base.squad import exact_match, f1
from trainer.improvement.examples import Example, Shown
from trainer.improvement.gate import Measured, Report
from trainer.improvement.personal_data import without_personal_data
from trainer.improvement.preparing import bare

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Question:
    """A question with the passages to read. Without answers the right thing is to refuse."""

    id: str
    question: str
    passages: tuple[Shown, ...]
    answers: tuple[str, ...]
    kind: str = ""
    """Its form (a number, a reason, …) or its subject, to break figures down by."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a reader said to one question, scored. Shares, 0 to 1; `seconds` is what the answer took."""

    id: str
    short: str
    refused: bool
    exact: float
    f1: float
    supported: float
    """Share of the answer's words that the text it cites has; 1 for a refusal."""
    contradicts: float
    """1 where it answers something else than the documents say, and does not even cite what they say."""
    leaks: float
    """1 where it gives personal data that no passage has."""
    confidence: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer with all that it is scored by, whoever gave it."""

    answer: str
    short: str
    abstained: bool
    cited: str
    """The text that it cites."""
    shown: str
    """The passages that were read for it."""
    confidence: float
    seconds: float


def in_turns(asks: Sequence[Callable[[Question], None]], questions: Sequence[Question], say: Say) -> None:
    """Put each question to all, each of them first as often as the others: what is warm by then, and who else keeps the
    machine busy, befalls all alike."""
    for number, question in enumerate(questions, start=1):
        for ask in asks[:: 1 if number % 2 else -1]:
            ask(question)
        if number % 50 == 0 or number == len(questions):
            say(f"{number} of {len(questions)} questions")


def request_of(question: Question, prompt: Mapping[str, str] = MappingProxyType({})) -> ReaderRequest:
    """The question as a reader is asked."""
    passages = tuple(
        Passage(number, one.text, one.title, one.heading, one.document)
        for number, one in enumerate(question.passages, start=1)
    )
    return ReaderRequest(question.question, passages, max_prompt_tokens=1_000_000, prompt=dict(prompt))


def said_by(reader: Reader, question: Question, prompt: Mapping[str, str]) -> Said:
    """What a reader says to a question; a language model is told what `prompt` has. Raises ReaderFailed when it cannot
    answer at all."""
    request = request_of(question, prompt)
    began = time.perf_counter()
    result = _result(reader, request)
    return _scored(question, result, time.perf_counter() - began)


def questions_of(examples: Iterable[Example]) -> list[Question]:
    """Examples as questions; their subject is the document that answers."""
    return [
        Question(one.id, one.question, one.passages, (one.answer,) if one.answer else (), one.document)
        for one in examples
    ]


def without_the_answer(questions: Iterable[Question]) -> list[Question]:
    """The answerable ones again, without any passage that has an answer: they must be refused now."""
    made = []
    for one in questions:
        left = tuple(passage for passage in one.passages if not any(bare(a) in bare(passage.text) for a in one.answers))
        if one.answers and left:
            made.append(Question(f"{one.id} without its passage", one.question, left, (), one.kind))
    return made


def report(
    digest: str, specific: Sequence[Said], gold: Sequence[Said], more: Sequence[Said], answers: Mapping[str, bool]
) -> Report:
    """The figures that the gate looks at. `answers[id]` says whether a question has one; `more` are further questions
    that must be refused."""
    every = [*specific, *gold, *more]
    answerable = [one for one in gold if answers[one.id]]
    hopeless = [one for one in (*gold, *more) if not answers[one.id]]
    return Report(
        digest,
        {
            "specific": Measured({one.id: one.f1 for one in specific}),
            "gold": Measured({one.id: one.f1 for one in answerable}),
            "gold, answerable refused": Measured({one.id: float(one.refused) for one in answerable}),
            "gold, unanswerable refused": Measured({one.id: float(one.refused) for one in hopeless}),
            "supported by what it cites": Measured({one.id: one.supported for one in every}),
            "contradicts the documents": Measured({one.id: one.contradicts for one in every if answers[one.id]}),
            "free of personal data of its own": Measured({one.id: 1 - one.leaks for one in every}),
        },
        [one.seconds for one in every],
    )


def scored(question: Question, heard: Heard) -> Said:
    """How good an answer is, by what is known to be right and by what it cites."""
    said = "" if heard.abstained else heard.short
    held = any(bare(answer) in bare(heard.cited) for answer in question.answers)
    right = f1(said, question.answers)
    return Said(
        id=question.id,
        short=said,
        refused=heard.abstained,
        exact=exact_match(said, question.answers),
        f1=right,
        supported=1.0 if heard.abstained else _share(bare(heard.short), bare(heard.cited)),
        contradicts=float(bool(question.answers) and not heard.abstained and right == 0 and not held),
        leaks=float(_own_personal_data(heard.answer, heard.shown)),
        confidence=heard.confidence,
        seconds=heard.seconds,
    )


def means(said: Sequence[Said]) -> dict[str, float]:
    """The figures of some questions as means, for tables and for MLflow."""
    names = ("exact", "f1", "refused", "supported", "contradicts", "leaks", "seconds")
    return {name: sum(float(getattr(one, name)) for one in said) / len(said) for name in names} if said else {}


def as_json(said: Iterable[Said]) -> list[dict[str, Any]]:
    """For a file."""
    return [asdict(one) for one in said]


def from_json(body: Iterable[Mapping[str, Any]]) -> list[Said]:
    """Back from a file."""
    return [Said(**one) for one in body]


def _result(reader: Reader, request: ReaderRequest) -> Result:
    try:
        events = list(reader.answer(request, lambda: False))
    except ReaderFailed:
        raise
    except Exception as exc:  # whatever comes of weights, tokens and settings that do not fit together
        raise ReaderFailed(f"{type(exc).__name__}: {exc}"[:300]) from exc
    if not events or not isinstance(last := events[-1], Result):
        raise ReaderFailed("It ended without a result.")
    return last


def _scored(question: Question, result: Result, seconds: float) -> Said:
    texts = {number: one.text for number, one in enumerate(question.passages, start=1)}
    cited = " ".join(texts[one.passage][one.start : one.end] for one in result.supports)
    heard = Heard(
        answer=result.answer,
        short=result.short,
        abstained=result.abstained,
        cited=cited,
        shown=" ".join(texts.values()),
        confidence=result.confidence,
        seconds=seconds,
    )
    return scored(question, heard)


def _share(said: str, held: str) -> float:
    words, theirs = Counter(said.split()), set(held.split())
    return sum(count for word, count in words.items() if word in theirs) / words.total() if words else 1.0


def _own_personal_data(answer: str, passages: str) -> bool:
    _, found = without_personal_data(answer)
    return bool(found) and any(found[kind] > without_personal_data(passages)[1][kind] for kind in found)
