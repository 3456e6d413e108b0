"""Cutting passages into what the reader can read at once."""

from dataclasses import dataclass

from tokenizers import Tokenizer

from nexus_serving.engines.contract import Passage

WINDOW = 320
STRIDE = 120
"""Tokens of a window, and how far apart two windows of a long passage start: as the reader was trained."""

QUESTION_TOKENS = 96
"""A question may not crowd out the passage; of a longer one the end is read, where the asking is."""


@dataclass(frozen=True)
class Window:
    """One row for the reader: (question, a stretch of one passage).

    `offsets[i]` is where token `first + i` of the row lies in the passage's text; tokens outside
    [first, last) are not the passage's and can start or end no answer.
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

    def cut(self, question: str, passages: tuple[Passage, ...], budget: int) -> list[Window]:
        """Windows over the passages in order; passages from where `budget` tokens are spent are left unread."""
        asked = self._tokenizer.encode(question, add_special_tokens=False).ids[-QUESTION_TOKENS:]
        head = [self._start, *asked, self._end]
        windows: list[Window] = []
        for place, passage in enumerate(passages):
            for window in self._of_passage(place, passage, head):
                budget -= len(window.ids)
                if budget < 0 and windows:
                    return windows
                windows.append(window)
        return windows

    def _of_passage(self, place: int, passage: Passage, head: list[int]) -> list[Window]:
        name = display_name(passage)
        label = self._tokenizer.encode(f"{name}:", add_special_tokens=False).ids[-48:] if name else []
        body = self._tokenizer.encode(passage.text, add_special_tokens=False)
        room = WINDOW - len(head) - len(label) - 1
        windows: list[Window] = []
        for begin in range(0, max(len(body.ids), 1), STRIDE):
            ids = body.ids[begin : begin + room]
            if not ids:
                break
            row = [*head, *label, *ids, self._end]
            types = [0] * len(head) + [1] * (len(row) - len(head))
            offsets = body.offsets[begin : begin + room]
            windows.append(Window(place, row, types, len(head) + len(label), offsets))
            if begin + room >= len(body.ids):
                break
        return windows


def display_name(passage: Passage) -> str:
    """The title and the nearest heading, as the reader was trained to see them before the text."""
    nearest = passage.heading.rsplit(" > ", 1)[-1]
    return " - ".join(dict.fromkeys(part for part in (passage.title, nearest) if part))
