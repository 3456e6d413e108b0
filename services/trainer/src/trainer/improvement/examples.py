"""What is learnt from and measured on: a question, the passages that were shown, and what answers it."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

Origin = Literal["correction", "accepted", "kept", "document", "replay"]
"""Where an example comes from: a user's correction, an answer voted up, a sure answer that nobody minded, a question
made from a document by rules, or a general question shipped with the product."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A passage as the reader sees it."""

    document: str
    title: str
    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class Example:
    """A question with its passages. The answer is [start, end) of passage `gold` (counted from 0); without one `gold`
    is None, and the right thing is to say that the documents do not say."""

    id: str
    question: str
    passages: tuple[Shown, ...]
    gold: int | None
    start: int
    end: int
    origin: Origin
    voter: str = ""
    """Who said so, as an opaque name."""

    @property
    def answer(self) -> str:
        """Verbatim; empty without one."""
        return "" if self.gold is None else self.passages[self.gold].text[self.start : self.end]

    @property
    def document(self) -> str:
        """The one that answers, or the first that was shown."""
        return self.passages[self.gold or 0].document if self.passages else ""


def write_examples(path: Path, examples: Iterable[Example]) -> None:
    """One JSON object a line."""
    lines = (json.dumps(asdict(example), ensure_ascii=False) for example in examples)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def read_examples(path: Path) -> Iterator[Example]:
    """The examples of a file that `write_examples` wrote."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield _example(json.loads(line))


def _example(body: dict[str, Any]) -> Example:
    return Example(**{**body, "passages": tuple(Shown(**passage) for passage in body["passages"])})
