"""JSON and JSON Lines: the text is the file itself, cut at members and elements; keys are the headings above."""

import json
from collections.abc import Iterator

from ingest.parsers.decode import decoded
from ingest.parsers.document import Block, ParsedDocument, Progress, Unreadable

_SMALL = 600
"""A value of at most so many characters is one block; a larger one is cut into its members."""
_SPACE = " \t\n\r"
_MAX_DEPTH = 100


def parse_json(data: bytes, progress: Progress) -> ParsedDocument:
    """The members of a JSON document."""
    text = decoded(data)
    _loaded(text, line=1)
    progress()
    blocks = list(_Cutter(text, progress).value(_skip(text, 0), (), 0))
    return ParsedDocument(title="", text=text, blocks=[b for b in blocks if b.end > b.start])


def parse_json_lines(data: bytes, progress: Progress) -> ParsedDocument:
    """One JSON value a line."""
    text = decoded(data)
    blocks: list[Block] = []
    at = 0
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            _loaded(line, line=number)
            blocks.append(Block(at, at + len(line.rstrip()), "row"))
            progress()
        at += len(line) + 1
    return ParsedDocument(title="", text=text, blocks=blocks)


def _loaded(text: str, *, line: int) -> None:
    try:
        json.loads(text)
    except json.JSONDecodeError as exc:
        raise Unreadable(f"The JSON is broken in line {line + exc.lineno - 1}, column {exc.colno}: {exc.msg}.") from exc
    except RecursionError as exc:
        raise Unreadable("The JSON is nested too deeply.") from exc
    except ValueError as exc:  # an integer of more than 4,300 digits
        raise Unreadable(f"The JSON holds a value that cannot be read: {exc}"[:300]) from exc


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at


class _Cutter:
    """Finds where values begin and end. The text is known to be valid JSON."""

    def __init__(self, text: str, progress: Progress) -> None:
        self._text = text
        self._end_of = json.JSONDecoder().raw_decode
        self._progress = progress

    def value(self, at: int, path: tuple[str, ...], depth: int, start: int | None = None) -> Iterator[Block]:
        """The blocks of the value at `at`; `start` is where its key begins."""
        self._progress()
        end = self._end_of(self._text, at)[1]
        begin = at if start is None else start
        if end - begin <= _SMALL or self._text[at] not in "{[" or depth >= _MAX_DEPTH:
            yield Block(begin, end, "row", path)
        else:
            yield from self._members(at, path, depth)

    def _members(self, at: int, path: tuple[str, ...], depth: int) -> Iterator[Block]:
        text, is_object = self._text, self._text[at] == "{"
        at = _skip(text, at + 1)
        while text[at] not in "}]":
            start, below = at, path
            if is_object:
                key, after = self._end_of(text, at)
                at = _skip(text, _skip(text, after) + 1)  # over the colon
                if text[at] in "{[" and len(str(key)) <= 80:
                    below = (*path, str(key))
            end = self._end_of(text, at)[1]
            small = end - start <= _SMALL
            yield from self.value(at, path if small else below, depth + 1, start)
            at = _skip(text, end)
            if text[at] == ",":
                at = _skip(text, at + 1)
