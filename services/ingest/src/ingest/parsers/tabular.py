"""CSV and TSV: the text is the file itself, a block is one row, and the header row stands above every one."""

import csv
import io
from collections import Counter
from collections.abc import Iterator

from ingest.parsers.decode import decoded
from ingest.parsers.document import Block, ParsedDocument, Progress, Unreadable

_SAMPLE = 16 * 1024
_MAX_HEADER = 400


def parse_tabular(data: bytes, progress: Progress) -> ParsedDocument:
    """The rows of a table, each with its place in the file."""
    text = decoded(data)
    csv.field_size_limit(1024 * 1024)
    try:
        rows = list(_rows(text, progress))
    except csv.Error as exc:
        raise Unreadable(f"This is not a readable CSV file: {exc}.") from exc
    header = _header(text, [row for _, _, row in rows[:50]], rows[:1])
    path = (header,) if header else ()
    blocks = [Block(start, end, "row", path) for start, end, _ in rows]
    return ParsedDocument(title="", text=text, blocks=blocks)


def _rows(text: str, progress: Progress) -> Iterator[tuple[int, int, list[str]]]:
    """(start, end, cells) of each row; a quoted cell may run over many lines."""
    lines = io.StringIO(text).readlines()
    reader = csv.reader(lines, dialect=_dialect(text[:_SAMPLE]))
    at = line_number = 0
    for cells in reader:
        start = at
        at += sum(len(line) for line in lines[line_number : reader.line_num])
        line_number = reader.line_num
        end = start + len(text[start:at].rstrip())
        if line_number % 1000 == 0:
            progress()
        if end > start:
            yield start, end, cells


def _dialect(sample: str) -> type[csv.Dialect]:
    try:
        return csv.Sniffer().sniff(sample, delimiters=",;\t|")
    except csv.Error:
        return csv.excel


def _header(text: str, rows: list[list[str]], first: list[tuple[int, int, list[str]]]) -> str:
    """The first row when it names columns: as wide as the rest, every cell a distinct short word without numbers."""
    if len(rows) < 2:
        return ""
    cells = [cell.strip() for cell in rows[0]]
    width = Counter(len(row) for row in rows[1:]).most_common(1)[0][0]
    named = all(cell and len(cell) < 60 and not cell[0].isdigit() for cell in cells)
    start, end, _ = first[0]
    fits = len(cells) == width and width > 1 and len(set(cells)) == len(cells) and end - start <= _MAX_HEADER
    return text[start:end] if named and fits and not cells[0].startswith("#") else ""
