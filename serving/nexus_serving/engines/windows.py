"""Cutting passages into what the reader can read at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from tokenizers import Tokenizer

WINDOW = 320
STRIDE = 120
"""Tokens of a window, and how far apart two windows of a long passage start: as the reader was trained."""

QUESTION_TOKENS = 96
"""A question may not crowd out the passage; of a longer one the end is read, where the asking is."""


@dataclass(frozen=True)
class Window:
    """One row for the reader: (question, a stretch of one passage).

    `offsets[i]` is where token `first + i` of the row lies in the passage; the others are no part of it and can start
    or end no answer. Titles are left out: on SQuAD and on documentation alike the reader does a point better without.
    """

    passage: int
    ids: list[int]
    types: list[int]
    first: int
    offsets: list[tuple[int, int]]

    @property
    def last(self) -> int:
        return self.first + len(self.offsets)


class Windows:
    """Makes windows with one tokenizer."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self._tokenizer = tokenizer
        special = tokenizer.encode("")
        self._start, self._end = special.ids

    def count(self, text: str) -> int:
        """Tokens of a text, without the special ones."""
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def cut(self, question: str, texts: Sequence[str], budget: int) -> list[Window]:
        """Windows over the texts in order; from where `budget` tokens are spent nothing more is read."""
        asked = self._tokenizer.encode(question, add_special_tokens=False).ids[-QUESTION_TOKENS:]
        head = [self._start, *asked, self._end]
        windows: list[Window] = []
        for place, text in enumerate(texts):
            for window in self._of_text(place, text, head):
                budget -= len(window.ids)
                if budget < 0 and windows:
                    return windows
                windows.append(window)
        return windows

    def _of_text(self, place: int, text: str, head: list[int]) -> list[Window]:
        body = self._tokenizer.encode(text, add_special_tokens=False)
        room = WINDOW - len(head) - 1
        windows: list[Window] = []
        for begin in range(0, len(body.ids), STRIDE):
            ids = body.ids[begin : begin + room]
            row = [*head, *ids, self._end]
            types = [0] * len(head) + [1] * (len(row) - len(head))
            windows.append(Window(place, row, types, len(head), body.offsets[begin : begin + room]))
            if begin + room >= len(body.ids):
                break
        return windows
