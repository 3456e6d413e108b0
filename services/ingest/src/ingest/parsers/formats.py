"""Which parser reads which file. A new format: a function from bytes to ParsedDocument, and a line in PARSERS."""

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

from ingest.parsers.document import ParsedDocument, Progress, Unreadable
from ingest.parsers.markdown import parse_markdown
from ingest.parsers.page import parse_page
from ingest.parsers.pdf import parse_pdf
from ingest.parsers.plain import parse_plain
from ingest.parsers.slides import parse_slides
from ingest.parsers.structured import parse_json, parse_json_lines
from ingest.parsers.tabular import parse_tabular
from ingest.parsers.word import parse_word

Parser = Callable[[bytes, Progress], ParsedDocument]

PARSERS: Mapping[str, Parser] = {
    "md": parse_markdown,
    "markdown": parse_markdown,
    "txt": parse_plain,
    "text": parse_plain,
    "html": parse_page,
    "htm": parse_page,
    "pdf": parse_pdf,
    "docx": parse_word,
    "pptx": parse_slides,
    "csv": parse_tabular,
    "tsv": parse_tabular,
    "json": parse_json,
    "jsonl": parse_json_lines,
}


def parse(key: str, data: bytes, progress: Progress) -> ParsedDocument:
    """The document named `key` as text with blocks, or Unreadable with the reason."""
    extension = PurePosixPath(key).suffix.lower().removeprefix(".")
    parser = PARSERS.get(extension)
    if parser is None:
        what = f"The format .{extension}" if extension else "A file without an extension"
        raise Unreadable(f"{what} is not supported; supported: {', '.join(PARSERS)}.")
    if not data:
        raise Unreadable("The file is empty.")
    document = parser(data, progress)
    if not document.blocks or not any(character.isalnum() for character in document.text):
        raise Unreadable("There is no text in this file.")
    title = " ".join((document.title or _name_as_title(key)).split())[:300]
    return ParsedDocument(title=title, text=document.text, blocks=document.blocks)


def _name_as_title(key: str) -> str:
    return PurePosixPath(key).stem.replace("_", " ").replace("-", " ").strip()
