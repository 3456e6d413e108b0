"""PDF by pypdf, page by page. The text stays what pypdf reads; the outline tells which lines are headings."""

import io
import re
from collections.abc import Iterator
from typing import Any

import pypdf
from pypdf.errors import DependencyError, PdfReadError, PyPdfError

from ingest.parsers.document import Block, HeadingPath, Kind, ParsedDocument, Progress, Unreadable

_BULLET = re.compile(r"\s*(?:[•◦▪‣–*]|-|\d{1,3}[.)]|\([a-z0-9]\))\s+")
_PAGE_NUMBER = re.compile(r"(?:page )?\d{1,4}(?: (?:of|/) \d{1,4})?", re.IGNORECASE)
_SURROGATE = re.compile("[\ud800-\udfff\x00]")
_END_OF_PARAGRAPH = (".", ":", "!", "?", ";")
_ENCRYPTED = "The PDF is encrypted; remove its password and upload it again."
_MAX_PAGES = 5_000

Outline = dict[tuple[int, str], int]
"""(page, heading's words without spaces) to its level."""


def parse_pdf(data: bytes, progress: Progress) -> ParsedDocument:
    """The pages of a PDF. Broken ones are read as far as pypdf can, and no further."""
    try:
        reader = _opened(data)
        pages = []
        for page in reader.pages:
            progress()
            pages.append(_SURROGATE.sub("", page.extract_text()))
        outline = _outline(reader)
        title = str((reader.metadata and reader.metadata.title) or "")
    except Unreadable:
        raise
    except RecursionError as exc:
        raise Unreadable("The PDF refers to itself in circles.") from exc
    except (PyPdfError, ValueError, KeyError, TypeError, IndexError, AttributeError, OSError, AssertionError) as exc:
        raise Unreadable(f"The PDF is broken: {_reason(exc)}") from exc
    if not any(page.strip() for page in pages):
        raise Unreadable("There is no text in this PDF (scanned pages?); run it through text recognition first.")
    return _assembled(pages, outline, title)


def _opened(data: bytes) -> pypdf.PdfReader:
    try:
        reader = pypdf.PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unreadable(_ENCRYPTED)
        if len(reader.pages) > _MAX_PAGES:
            raise Unreadable(f"The PDF has {len(reader.pages)} pages; at most {_MAX_PAGES} are read.")
    except (DependencyError, NotImplementedError) as exc:
        raise Unreadable(_ENCRYPTED) from exc
    except PdfReadError as exc:
        raise Unreadable(f"This is not a readable PDF: {_reason(exc)}") from exc
    return reader


def _reason(exc: BaseException) -> str:
    return (str(exc) or type(exc).__name__)[:200]


def _key(text: str) -> str:
    return "".join(text.split()).casefold()


def _outline(reader: pypdf.PdfReader) -> Outline:
    found: Outline = {}

    def take(entries: list[Any], level: int) -> None:
        for entry in entries:
            if isinstance(entry, list):
                take(entry, level + 1)
            elif (number := reader.get_destination_page_number(entry)) is not None and number >= 0:
                found.setdefault((number + 1, _key(str(entry.title))), level)

    try:
        take(reader.outline, 1)
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}  # a broken outline costs the headings, not the text
    return found


def _assembled(pages: list[str], outline: Outline, title: str) -> ParsedDocument:
    blocks: list[Block] = []
    headings = HeadingPath()
    at = 0
    for number, page in enumerate(pages, start=1):
        for kind, start, end in _paragraphs(page, number, outline):
            words = " ".join(page[start:end].split())
            path = headings.current
            if kind == "heading":
                path = headings.enter(outline[number, _key(words)], words)
            blocks.append(Block(at + start, at + end, kind, path, page=number))
        at += len(page) + 2
    first = next((block.path[0] for block in blocks if block.kind == "heading"), "")
    return ParsedDocument(title=title.strip() or first, text="\n\n".join(pages), blocks=blocks)


def _paragraphs(page: str, number: int, outline: Outline) -> Iterator[tuple[Kind, int, int]]:
    """Lines joined to paragraphs. A PDF knows no paragraphs: a line ends one when it ends a sentence well before the
    margin, or when the next one starts an item or a heading."""
    lines = list(_lines(page))
    margin = max((end - start for start, end in lines), default=0)
    begun: tuple[Kind, int, int] | None = None
    for start, end in lines:
        line = page[start:end]
        kind: Kind = "paragraph"
        if (number, _key(line)) in outline:
            kind = "heading"
        elif _BULLET.match(line):
            kind = "item"
        if begun and (kind != "paragraph" or begun[0] == "heading" or _closes(page, begun, start, margin)):
            yield begun
            begun = None
        begun = (begun[0], begun[1], end) if begun else (kind, start, end)
    if begun:
        yield begun


def _lines(page: str) -> Iterator[tuple[int, int]]:
    """The lines with words. Bullets that lost their line, and page numbers at the edge, belong to no paragraph."""
    lines = [(m.start(), m.end()) for m in re.finditer(r"[^\n]+", page) if re.search(r"[^\W_]", m.group())]
    for at, (start, end) in enumerate(lines):
        at_edge = at in (0, len(lines) - 1)
        if not (at_edge and _PAGE_NUMBER.fullmatch(page[start:end].strip())):
            yield start, end


def _closes(page: str, begun: tuple[Kind, int, int], next_start: int, margin: int) -> bool:
    if page.count("\n", begun[2], next_start) > 1:
        return True
    last_line = page[page.rfind("\n", begun[1], begun[2]) + 1 : begun[2]].rstrip()
    return last_line.endswith(_END_OF_PARAGRAPH) and len(last_line) < 0.8 * margin
