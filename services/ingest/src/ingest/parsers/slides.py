"""PPTX by python-pptx: a slide is a page, its title a heading."""

import io
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any

from lxml import etree  # type: ignore[import-untyped]
from pptx import Presentation
from pptx.exc import PythonPptxError

from ingest.parsers.archives import check_archive
from ingest.parsers.document import ParsedDocument, Progress, TextBuilder, Unreadable

_DAMAGED = (
    PythonPptxError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    IndexError,
    zipfile.BadZipFile,
    etree.XMLSyntaxError,
)
"""What python-pptx raises when a file is not what it says it is."""


def parse_slides(data: bytes, progress: Progress) -> ParsedDocument:
    """Titles, text, tables and speaker notes of every slide."""
    check_archive(data, format="PPTX")
    progress()
    try:
        deck = Presentation(io.BytesIO(data))
        builder = TextBuilder()
        for number, slide in enumerate(deck.slides, start=1):
            progress()
            _add_slide(builder, slide, number)
        stated = (deck.core_properties.title or "").strip()
    except _DAMAGED as exc:
        raise Unreadable("This is not a readable PPTX file: parts of it are missing or damaged.") from exc
    first = next((block.path[-1] for block in builder.blocks if block.kind == "heading"), "")
    return builder.document(stated if stated and stated != "PowerPoint Presentation" else first)


def _add_slide(builder: TextBuilder, slide: Any, number: int) -> None:
    title = slide.shapes.title
    builder.add_heading(1, title.text_frame.text if title is not None else f"Slide {number}", page=number)
    for shape in _flat(slide.shapes):
        if title is not None and shape.shape_id == title.shape_id:
            continue
        if getattr(shape, "has_table", False):
            builder.add_table([[cell.text for cell in row.cells] for row in shape.table.rows], page=number)
        elif shape.has_text_frame:
            _add_text(builder, shape, number)
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        builder.add("paragraph", slide.notes_slide.notes_text_frame.text, page=number)


def _add_text(builder: TextBuilder, shape: Any, number: int) -> None:
    paragraphs = [p for p in shape.text_frame.paragraphs if p.text.strip()]
    for paragraph in paragraphs:
        text = paragraph.text.replace("\v", "\n").strip()
        is_item = len(paragraphs) > 1 and shape.is_placeholder
        builder.add("item" if is_item else "paragraph", f"- {text}" if is_item else text, page=number)


def _flat(shapes: Iterable[Any], depth: int = 0) -> Iterator[Any]:
    for shape in shapes:
        if hasattr(shape, "shapes") and depth < 20:
            yield from _flat(shape.shapes, depth + 1)
        else:
            yield shape
