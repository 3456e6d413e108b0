"""A corpus to evaluate on: a folder of documents, and a file with one question a line."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ingest.parsers.document import Unreadable
from ingest.parsers.formats import PARSERS, parse


@dataclass(frozen=True)
class Question:
    """One question. Without `answers` the documents do not say; `document` and `evidence` say where they do."""

    id: str
    text: str
    answers: tuple[str, ...]
    document: str | None
    evidence: str | None
    kind: str

    @property
    def answerable(self) -> bool:
        """Do the documents hold the answer?"""
        return bool(self.answers)


@dataclass(frozen=True)
class Corpus:
    """Documents by key."""

    documents: Mapping[str, bytes]

    @cached_property
    def texts(self) -> Mapping[str, str]:
        """What the platform's own parsers read in each document; nothing for those that they cannot read."""
        return dict(self._read())

    def _read(self) -> Iterator[tuple[str, str]]:
        for key, data in self.documents.items():
            try:
                yield key, parse(key, data, lambda: None).text
            except Unreadable:
                continue


def load_corpus(folder: Path) -> Corpus:
    """Every file below the folder in a format that can be read; its key is the path from there. Files that lie in the
    folder itself beside sub-folders (questions, sources) are not documents."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith(".")]
    nested = any(path.parent != folder for path in files)
    chosen = [path for path in files if path.suffix.lower().removeprefix(".") in PARSERS]
    return Corpus(
        {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in chosen
            if path.parent != folder or not nested
        }
    )


def load_questions(file: Path) -> list[Question]:
    """JSON lines: `question` is needed; `answer` (null: the documents do not say), `aliases`, `document`, `evidence`,
    `kind` and `id` may be left out."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return [_question(json.loads(line), number) for number, line in enumerate(lines, 1) if line.strip()]


def _question(raw: Mapping[str, Any], number: int) -> Question:
    answer = raw.get("answer")
    accepted = (answer, *(raw.get("aliases") or ())) if answer else ()
    return Question(
        id=str(raw.get("id", number)),
        text=raw["question"],
        answers=tuple(str(one) for one in accepted),
        document=raw.get("document"),
        evidence=raw.get("evidence"),
        kind=raw.get("kind") or ("answerable" if answer else "unanswerable"),
    )
