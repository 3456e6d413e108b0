"""Passages that a search returns for a question although they do not answer it: the negatives that matter."""

from collections.abc import Sequence
from random import Random

import bm25s


class Neighbours:
    """A BM25 index over passages."""

    def __init__(self, passages: Sequence[str]) -> None:
        self._passages = passages
        self._index = bm25s.BM25()
        self._index.index(bm25s.tokenize(list(passages), show_progress=False), show_progress=False)

    def of(self, questions: Sequence[str], count: int) -> list[list[int]]:
        """For each question the numbers of its `count` best passages, best first."""
        asked = bm25s.tokenize(list(questions), show_progress=False)
        found, _ = self._index.retrieve(asked, k=min(count, len(self._passages)), show_progress=False)
        return [[int(number) for number in one] for one in found]

    def wrong(self, near: Sequence[int], own: str, answer: str, random: Random) -> str | None:
        """One of the passages numbered `near` that is not `own` and does not have the answer's words."""
        lowered = answer.lower()
        others = [self._passages[number] for number in near if self._passages[number] != own]
        others = [passage for passage in others if not lowered or lowered not in passage.lower()]
        return random.choice(others) if others else None
