"""Questions of people, read from files: one JSON object a line, plain or xz.

Each has `q` (the question), `ctx` (the passage), `a` (the answer as it stands there, empty when it does not),
`start` (the answer's first character), `src` and `title` (where the passage is from).
"""

import json
import lzma
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class UnreadableData(Exception):
    """A file of questions or documents is not of the shape; the message says where."""


@dataclass(frozen=True, slots=True)
class Row:
    """One question about one passage. `start` is -1 when the passage does not answer it."""

    source: str
    title: str
    passage: str
    question: str
    start: int
    end: int

    @property
    def answered(self) -> bool:
        return self.start >= 0

    @property
    def answer(self) -> str:
        return self.passage[self.start : self.end] if self.answered else ""


@dataclass(frozen=True, slots=True)
class Document:
    """A text to make questions from."""

    source: str
    title: str
    text: str


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a file. Answers that are not at `start` are looked for; those that are nowhere are left out.

    Raises:
        UnreadableData: a line is no row.
    """
    for number, body in _lines(path):
        try:
            passage, answer = body["ctx"], body["a"]
            start = _place(passage, answer, int(body.get("start") or 0)) if answer else -1
            if answer and start < 0:
                continue
            title = body.get("title") or ""
            yield Row(body.get("src") or path.name, title, passage, body["q"], start, start + len(answer))
        except (KeyError, TypeError, ValueError) as error:
            raise UnreadableData(
                f"{path}, line {number}: not a question with q, ctx, a and start ({error!r})"
            ) from None


def read_documents(path: Path) -> Iterator[Document]:
    """The documents of a file with `title` and `text` a line, and `src` where known.

    Raises:
        UnreadableData: a line is no document.
    """
    for number, body in _lines(path):
        try:
            yield Document(body.get("src") or path.name, body["title"], body["text"])
        except (KeyError, TypeError) as error:
            raise UnreadableData(f"{path}, line {number}: not a document with title and text ({error!r})") from None


class Unseen:
    """What may be trained on: nothing that an evaluation set has, neither the passage nor the question."""

    def __init__(self, passages: Iterable[str], questions: Iterable[str]) -> None:
        self._passages = {_bare(passage)[:120] for passage in passages}
        self._questions = {_bare(question) for question in questions}

    def __call__(self, row: Row) -> bool:
        return _bare(row.passage)[:120] not in self._passages and _bare(row.question) not in self._questions


def _bare(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", text.lower())


def _place(passage: str, answer: str, near: int) -> int:
    at = passage.find(answer, max(0, near - 2))
    return at if at >= 0 else passage.find(answer)


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    opened = lzma.open if path.suffix == ".xz" else open
    with opened(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                yield number, json.loads(line)
            except ValueError as error:
                raise UnreadableData(f"{path}, line {number}: not JSON ({error})") from None
