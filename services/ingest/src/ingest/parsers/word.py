"""DOCX by python-docx: headings, paragraphs, list items and tables, in the order of the page."""

import io
import re
import zipfile

import docx
from docx.document import Document
from docx.table import Table
from docx.text.paragraph import Paragraph
from lxml import etree  # type: ignore[import-untyped]

from ingest.parsers.archives import check_archive
from ingest.parsers.document import ParsedDocument, Progress, TextBuilder, Unreadable

_HEADING = re.compile(r"heading ([1-9])", re.IGNORECASE)
_DAMAGED = (ValueError, KeyError, TypeError, AttributeError, IndexError, zipfile.BadZipFile, etree.XMLSyntaxError)
"""What python-docx raises when a file is not what it says it is."""


def parse_word(data: bytes, progress: Progress) -> ParsedDocument:
    """The body of a Word document as text."""
    check_archive(data, format="DOCX")
    progress()
    try:
        document = docx.Document(io.BytesIO(data))
        builder = TextBuilder()
        for part in document.iter_inner_content():
            progress()
            if isinstance(part, Table):
                builder.add_table(_rows(part))
            else:
                _add_paragraph(builder, part)
        return builder.document(_title(document, builder))
    except _DAMAGED as exc:
        raise Unreadable("This is not a readable DOCX file: parts of it are missing or damaged.") from exc


def _add_paragraph(builder: TextBuilder, paragraph: Paragraph) -> None:
    style = (paragraph.style.name if paragraph.style else "") or ""
    text = paragraph.text
    if heading := _HEADING.match(style):
        builder.add_heading(int(heading.group(1)), text)
    elif style == "Title":
        builder.add_heading(1, text)
    elif "code" in style.lower() or "preformatted" in style.lower() or style == "macro":
        builder.add("code", text)
    elif style.startswith("List") or _is_numbered(paragraph):
        marker = "- " if text.strip() and not text.lstrip().startswith(("-", "•", "*")) else ""
        builder.add("item", marker + text.strip())
    else:
        builder.add("paragraph", text)


def _is_numbered(paragraph: Paragraph) -> bool:
    properties = paragraph._p.pPr
    return properties is not None and properties.numPr is not None


def _rows(table: Table) -> list[list[str]]:
    rows = []
    for row in table.rows:
        cells = []
        for number, cell in enumerate(row.cells):
            if number == 0 or cell._tc is not row.cells[number - 1]._tc:  # a merged cell is handed out once a column
                cells.append(cell.text)
        rows.append(cells)
    return rows


def _title(document: Document, builder: TextBuilder) -> str:
    first = next((block.path[-1] for block in builder.blocks if block.kind == "heading"), "")
    stated = (document.core_properties.title or "").strip()
    return stated if stated and stated.lower() not in ("word document", "document") else first
