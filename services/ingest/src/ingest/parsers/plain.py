"""Plain text: paragraphs are parted by blank lines, and a short line that stands alone is a heading."""

import re

from ingest.parsers.decode import decoded
from ingest.parsers.document import Block, HeadingPath, ParsedDocument, Progress

_ITEM = re.compile(r"[ \t]*(?:[-*+•]|\d{1,3}[.)])[ \t]+\S")
_PARAGRAPH = re.compile(r"(?:^[^\n]*\S[^\n]*(?:\n|\Z))+", re.MULTILINE)
_UNDERLINE = re.compile(r"[=\-~^#*]{3,}\s*")
_MAX_HEADING = 70


def parse_plain(data: bytes, progress: Progress) -> ParsedDocument:
    """Headings, paragraphs and list items of a plain text file."""
    text = decoded(data)
    headings = HeadingPath()
    blocks: list[Block] = []
    for match in _PARAGRAPH.finditer(text):
        progress()
        title = _heading(match.group())
        end = match.start() + len(match.group().rstrip())
        if title:
            path = headings.enter(2 if headings.current else 1, title)
            blocks.append(Block(match.start(), end, "heading", path))
        else:
            blocks += _items(text, match.start(), end, headings.current)
    named = blocks and blocks[0].kind == "heading"
    return ParsedDocument(title=blocks[0].path[-1] if named else "", text=text, blocks=blocks)


def _heading(paragraph: str) -> str:
    """The words of the heading this paragraph is, or nothing. An underlined line is one, too."""
    lines = paragraph.rstrip().split("\n")
    if len(lines) == 2 and _UNDERLINE.fullmatch(lines[1]):
        lines = lines[:1]
    line = lines[0].strip()
    if len(lines) != 1 or lines[0][:1].isspace() or len(line) > _MAX_HEADING or not line[:1].isalnum():
        return ""
    return line if line[-1] not in ".,;:!?>}" and not line[:1].islower() and not _ITEM.match(line) else ""


def _items(text: str, start: int, end: int, path: tuple[str, ...]) -> list[Block]:
    """The paragraph in one piece, or its list items one by one with the lines before them."""
    starts = [start]
    at = start
    for line in text[start:end].split("\n"):
        if _ITEM.match(line) and at > start:
            starts.append(at)
        at += len(line) + 1
    ends = [*(s - 1 for s in starts[1:]), end]
    return [
        Block(s, e, "item" if _ITEM.match(text[s:e]) else "paragraph", path) for s, e in zip(starts, ends, strict=True)
    ]
