"""The knowledge base of the demonstration and the questions about it."""

import json
import re
import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
DOCUMENTS = HERE / "documents"
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_MARKS = str.maketrans("", "", string.punctuation)


@dataclass(frozen=True)
class Question:
    """A question with its acceptable answers, verbatim text of a document."""

    id: str
    document: str
    attribute: str
    """What it asks about: a house term, of which demo/README.md has the list."""
    question: str
    answers: tuple[str, ...]
    split: str


def questions(split: str) -> list[Question]:
    """The questions of `users` (asked, judged and corrected), `held_out` (never), or `general`."""
    lines = (HERE / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    every = (json.loads(line) for line in lines)
    return [
        Question(one["id"], one["document"], one["attribute"], one["question"], tuple(one["answers"]), one["split"])
        for one in every
        if one["split"] == split
    ]


def is_right(said: str, answers: Sequence[str]) -> bool:
    """Exact match, but for case, punctuation and articles."""
    return any(_bare(said) == _bare(answer) for answer in answers)


def exact_match(said: Iterable[tuple[str, Sequence[str]]]) -> float:
    """The share that is right, 0 to 1."""
    judged = [is_right(*one) for one in said]
    return sum(judged) / len(judged)


def _bare(text: str) -> str:
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_MARKS)).split())
