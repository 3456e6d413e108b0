"""What a judge is asked and what it says. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from opskit.contracts.answers import AnswerRecord
from opskit.contracts.reader import Passage

CONTEXT_RELEVANCE: Final = "context_relevance"
GROUNDEDNESS: Final = "groundedness"
ANSWER_RELEVANCE: Final = "answer_relevance"
TRIAD: Final = (CONTEXT_RELEVANCE, GROUNDEDNESS, ANSWER_RELEVANCE)
"""The three sides of retrieval-augmented answering, as TruLens names them."""

MOST_ATTEMPTS: Final = 6
_FORM: Final = "local, or openai:<base url>#<model>"


@dataclass(frozen=True, slots=True)
class Case:
    """An answer to be judged."""

    answer_id: str
    question: str
    answer: str
    contexts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a judge said of a case: its scores by name, 0 to 1, and why. None at all when it failed; then `failure` says
    what happened."""

    answer_id: str
    scores: Mapping[str, float]
    reasons: Mapping[str, str]
    seconds: float = 0.0
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict as it is kept."""

    answer_id: str
    release: str
    judge: str
    scores: Mapping[str, float]
    reasons: Mapping[str, str]
    at: datetime


@dataclass(frozen=True, slots=True)
class OpenAiJudge:
    """A model on an OpenAI-compatible server."""

    base_url: str
    model: str


def case_of(answer: AnswerRecord) -> Case:
    """What a judge needs of an answer."""
    return Case(answer.answer_id, answer.question, answer.answer, tuple(_context(one) for one in answer.passages))


def about_and_text(context: str) -> tuple[str, str]:
    """A context's title and headings, and its text."""
    about, _, text = context.partition("\n")
    return about, text


def openai_judge(setting: str) -> OpenAiJudge | None:
    """The server and model that NEXUS_JUDGE names; None for the local judge. Raises ValueError."""
    setting = setting.strip()
    if setting in ("", "local"):
        return None
    url, _, model = setting.removeprefix("openai:").partition("#")
    if not (setting.startswith("openai:") and url.startswith(("http://", "https://")) and model):
        raise ValueError(f"NEXUS_JUDGE is none of: {_FORM}")
    return OpenAiJudge(url.rstrip("/"), model)


def next_try(attempts: int, now: datetime) -> datetime | None:
    """When to try again what failed so many times, each time later: a judge that is away may be back by then. None when
    it was tried often enough."""
    return now + timedelta(minutes=2 ** (attempts - 1)) if attempts < MOST_ATTEMPTS else None


def from_line(line: Mapping[str, Any]) -> Case:
    """A case as it was written down."""
    return Case(line["answer_id"], line["question"], line["answer"], tuple(line["contexts"]))


def _context(passage: Passage) -> str:
    """Title and headings in the first line, always, and then the text."""
    about = " > ".join(part for part in (passage.title, passage.heading) if part)
    return f"{' '.join(about.split())}\n{passage.text}"
