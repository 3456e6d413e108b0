"""Markdown by markdown-it (CommonMark and tables). The text is the file itself, so a quote is always verbatim."""

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

from ingest.parsers.decode import decoded
from ingest.parsers.document import Block, HeadingPath, Kind, ParsedDocument, Progress

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_FRONT_TITLE = re.compile(r"^title:[ \t]*(.+?)[ \t]*$", re.MULTILINE)
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_ATTRIBUTES = re.compile(r"\s*\{[#.:][^}]*\}\s*$")
_COMMENT = re.compile(r"\A\s*<!--.*-->\s*\Z", re.DOTALL)
_LEAVES: dict[str, Kind] = {
    "paragraph_open": "paragraph",
    "fence": "code",
    "code_block": "code",
    "html_block": "paragraph",
    "tr_open": "row",
}


def parse_markdown(data: bytes, progress: Progress) -> ParsedDocument:
    """Headings, paragraphs, list items, code and table rows of a Markdown file, by their lines."""
    text = decoded(data)
    front = _FRONT_MATTER.match(text)
    body_at = front.end() if front else 0
    offsets = _line_offsets(text, body_at)
    progress()
    tokens = _parser().parse(text[body_at:])
    progress()
    blocks = list(_blocks(text, tokens, offsets))
    return ParsedDocument(title=_title(front.group(1) if front else "", blocks), text=text, blocks=blocks)


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark").enable("table")
    parser.core.ruler.disable("inline")  # only lines are of interest, and this halves the time
    return parser


def _line_offsets(text: str, start: int) -> list[int]:
    offsets = [start]
    for line in text[start:].split("\n"):
        offsets.append(offsets[-1] + len(line) + 1)
    return [min(offset, len(text)) for offset in offsets]


def plain_heading(markup: str) -> str:
    """A heading's words without its marks: `## The `--all` flag {#all}` becomes `The --all flag`."""
    line = _ATTRIBUTES.sub("", markup.strip().strip("#").strip())
    return " ".join(_LINK.sub(r"\1", line).replace("`", "").replace("**", "").split())


def _title(front: str, blocks: list[Block]) -> str:
    if stated := _FRONT_TITLE.search(front):
        return stated.group(1).strip("\"'")
    # A heading without words (a lone `#`) has no path.
    return next((block.path[-1] for block in blocks if block.kind == "heading" and block.path), "")


def _blocks(text: str, tokens: list[Token], offsets: list[int]) -> Iterator[Block]:
    headings = HeadingPath()
    reached = 0
    for kind, level, context, first, last in _leaves(tokens, text, offsets):
        if last <= reached:
            continue
        first = max(first, reached)
        yield from _gap(text, offsets, reached, first, headings.current)
        start, end = _trimmed(text, offsets[first], offsets[last])
        if kind == "heading":
            title = plain_heading(text[start:end].splitlines()[0] if end > start else "")
            yield Block(start, end, kind, headings.enter(level, title) if title else headings.current)
        elif end > start and not _COMMENT.match(text[start:end]):
            yield Block(start, end, kind, headings.current, context=context)
        reached = last
    yield from _gap(text, offsets, reached, len(offsets) - 1, headings.current)


def _leaves(tokens: list[Token], text: str, offsets: list[int]) -> Iterator[tuple[Kind, int, str, int, int]]:
    """(kind, heading level, table header, first line, line after the last) of every block without blocks inside."""
    items, header, header_line = 0, "", -1
    for token in tokens:
        if token.type == "list_item_open":
            items += 1
        elif token.type == "list_item_close":
            items -= 1
        elif token.type == "table_open" and token.map:
            header_line = token.map[0]
            header = text[offsets[header_line] : offsets[header_line + 1]].strip()
        if not token.map:
            continue
        first, last = token.map
        if token.type == "heading_open":
            yield "heading", int(token.tag[1:]), "", first, last
        elif token.type == "hr":
            yield "paragraph", 0, "", last, last
        elif kind := _LEAVES.get(token.type):
            if kind == "row" and first == header_line:
                yield "row", 0, "", first, min(last + 1, len(offsets) - 1)  # with the line of dashes below it
            else:
                yield "item" if kind == "paragraph" and items else kind, 0, header if kind == "row" else "", first, last


def _gap(text: str, offsets: list[int], first: int, last: int, path: tuple[str, ...]) -> Iterator[Block]:
    """Lines no token claims (link definitions): they are words of the document too. Rules of dashes are not."""
    if first >= last:
        return
    start, end = _trimmed(text, offsets[first], offsets[last])
    if end > start and re.search(r"[^\W_]", text[start:end]):
        yield Block(start, end, "paragraph", path)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Without blank lines around it; the indentation of its first line stays."""
    end = start + len(text[start:end].rstrip())
    while start < end and (line_end := text.find("\n", start, end)) >= 0 and not text[start:line_end].strip():
        start = line_end + 1
    return start, end
