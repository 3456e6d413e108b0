"""A passage prepared to be read, weighed and quoted."""

from dataclasses import dataclass
from functools import cached_property

from grounding.blocks import Block, blocks
from grounding.reading import Reading, read

from nexus_serving.engines.contract import Passage

_BY_LINE = (".csv", ".tsv", ".json", ".jsonl")
"""Documents whose lines stand for themselves."""


@dataclass(frozen=True)
class Material:
    """A passage and its rank, with what is worked out of its text once."""

    passage: Passage
    rank: int

    @property
    def text(self) -> str:
        return self.passage.text

    @property
    def place(self) -> str:
        """Where the passage stands: title and headings."""
        return f"{self.passage.title} {self.passage.heading}"

    @cached_property
    def reading(self) -> Reading:
        return read(self.text)

    @cached_property
    def blocks(self) -> list[Block]:
        return blocks(self.text, by_line=self.passage.document.lower().endswith(_BY_LINE))

    @cached_property
    def all_words(self) -> str:
        """Everything that may name what a question names."""
        return f"{self.passage.document} {self.place} {self.reading.text}"
