"""What every parser yields: one text, and blocks that point into it. A chunk is later cut along these blocks."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["heading", "paragraph", "item", "code", "row"]
Progress = Callable[[], None]


class Unreadable(Exception):
    """This file will not become text, however often it is tried. The message tells its owner why."""


@dataclass(frozen=True, slots=True)
class Block:
    """The half-open range [start, end) of the text that belongs together.

    `path` are the headings above it (a heading's own path ends with itself), `page` counts from 1 (0: no pages), and
    `context` is what its words need to be understood when it stands alone: the header row of a table.
    """

    start: int
    end: int
    kind: Kind
    path: tuple[str, ...] = ()
    page: int = 0
    context: str = ""


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """A document as text. `title` may be empty: the caller then falls back on the file's name."""

    title: str
    text: str
    blocks: list[Block]


@dataclass
class HeadingPath:
    """The headings above the place a parser has reached."""

    _open: list[tuple[int, str]] = field(default_factory=list)

    def enter(self, level: int, title: str) -> tuple[str, ...]:
        """A heading of `level` (1 is the highest) begins: it closes its equals and everything below them."""
        self._open = [(lv, t) for lv, t in self._open if lv < level]
        self._open.append((level, title))
        return self.current

    @property
    def current(self) -> tuple[str, ...]:
        return tuple(title for _, title in self._open)


class TextBuilder:
    """Builds the text of formats that have none of their own (HTML, DOCX, PPTX), block by block."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._last: Kind | None = None
        self.blocks: list[Block] = []
        self.headings = HeadingPath()

    def add(self, kind: Kind, text: str, *, page: int = 0, context: str = "") -> None:
        """Append a block below the current heading; blank text is left out."""
        if text.strip():
            self._append(kind, text.strip("\n").rstrip(), self.headings.current, page, context)

    def add_heading(self, level: int, text: str, *, page: int = 0) -> None:
        """Append a heading and make it the current one."""
        title = " ".join(text.split())
        if title:
            self._append("heading", title, self.headings.enter(level, title), page, "")

    def add_table(self, rows: list[list[str]], *, page: int = 0) -> None:
        """Append a table as lines of `a | b | c`; the first row explains the ones below it."""
        lines = [" | ".join(" ".join(cell.split()) for cell in row) for row in rows]
        header = lines[0] if len(lines) > 1 else ""
        for number, line in enumerate(lines):
            if line.strip(" |"):
                self.add("row", line, page=page, context=header if number else "")

    def _append(self, kind: Kind, text: str, path: tuple[str, ...], page: int, context: str) -> None:
        if self._parts:
            separator = "\n" if kind == self._last and kind in ("item", "row") else "\n\n"
            self._parts.append(separator)
            self._length += len(separator)
        self.blocks.append(Block(self._length, self._length + len(text), kind, path, page, context))
        self._parts.append(text)
        self._length += len(text)
        self._last = kind

    def document(self, title: str) -> ParsedDocument:
        """What was built."""
        return ParsedDocument(title=title, text="".join(self._parts), blocks=self.blocks)
