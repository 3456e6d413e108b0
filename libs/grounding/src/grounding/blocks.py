"""The structure of a passage: headings, paragraphs, list items, table rows and code, as ranges of its text."""

import re
from dataclasses import dataclass, replace
from enum import StrEnum

_FENCE = re.compile(r"^[ \t>]*(`{3,}|~{3,})[ \t]*([^\s`]*)")
_HEADING = re.compile(r"^#{1,6}[ \t]+\S")
_ROW = re.compile(r"^[ \t]*\|.*\|[ \t]*$")
_RULE = re.compile(r"^[ \t]*\|?[ \t:|-]*-{3}[ \t:|-]*$")
_ITEM = re.compile(r"^([ \t>]*)([-*+•]|\d{1,3}[.)])[ \t]+(?=\S)")
_OPTION = re.compile(r"^[ \t]+(?:-\w,[ \t]+)?--?[a-zA-Z][\w-]*(?:[ =,\t]|$)")
_PROMPT = re.compile(r"^[ \t]*\$[ \t]+\S")
_KEY = re.compile(r"^[ \t]*(?:- )?[\w.\"'/{}$-]+:(?:[ \t]+[^\s`]\S*(?:[ \t]+[^\s`]\S*){0,3})?[ \t]*$")
_DATA = re.compile(r"^[ \t]*(?:- \S+|#.*|[\[\]{}].*|\.{3})[ \t]*$")
_LINES = re.compile(r"[^\n]*\n|[^\n]+")


class Kind(StrEnum):
    """What a block is."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    ITEM = "item"
    ROW = "row"
    CODE = "code"


@dataclass(frozen=True)
class Block:
    """A block, characters [start, end). `body` is where its words begin, after a list mark or an opening fence."""

    kind: Kind
    start: int
    end: int
    body: int
    body_end: int
    ordered: bool = False
    indent: int = 0
    language: str = ""


def blocks(text: str, *, by_line: bool = False) -> list[Block]:
    """The blocks of a text in order. With `by_line` (tables and data files) every line is a row."""
    if by_line:
        return [_block(Kind.ROW, m.start(), m.end(), text) for m in _LINES.finditer(text) if m.group().strip()]
    return _Parser(text).run()


def blocks_over(found: list[Block], start: int, end: int) -> list[Block]:
    """The blocks whose words share a part of [start, end)."""
    return [block for block in found if block.body < end and block.body_end > start]


def block_at(found: list[Block], start: int, end: int) -> Block | None:
    """The block that shares most of [start, end)."""
    shares = [(min(block.end, end) - max(block.start, start), block) for block in found]
    share, block = max(shares, key=lambda pair: pair[0], default=(0, None))
    return block if share > 0 else None


def _block(kind: Kind, start: int, end: int, text: str) -> Block:
    while end > start and text[end - 1].isspace():
        end -= 1
    return Block(kind, start, end, start, end)


def _looks_like_code(line: str) -> bool:
    return line[:1].isspace() or any(mark in line for mark in "{}[]=$<>|;#")


class _Parser:
    """One pass over the lines. `_open` is the block that the next line may still belong to."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = [(match.start(), match.group().rstrip("\n")) for match in _LINES.finditer(text)]
        self._done: list[Block] = []
        self._open: Block | None = None
        self._after_blank = True

    def run(self) -> list[Block]:
        number = self._code_without_opening()
        while number < len(self._lines):
            start, line = self._lines[number]
            if fence := _FENCE.match(line):
                number = self._fenced(number, fence)
                continue
            if self._after_blank and (length := self._data_lines(number)):
                self._close()
                last_start, last = self._lines[number + length - 1]
                self._code_line(start, last_start + len(last))
                self._close()
                number += length
                continue
            if not line.strip(" \t>"):
                self._close()
                self._after_blank = True
            elif not self._marked(start, line):
                self._prose(start, line)
            if line.strip(" \t>"):
                self._after_blank = False
            number += 1
        self._close()
        return self._done

    def _code_without_opening(self) -> int:
        """A passage may begin inside a code block whose opening fence is in the passage before."""
        fences = [number for number, (_, line) in enumerate(self._lines) if _FENCE.match(line)]
        if len(fences) % 2 == 0 or (fence := _FENCE.match(self._lines[fences[0]][1])) is None or fence.group(2):
            return 0
        before = [line for _, line in self._lines[: fences[0]] if line.strip()]
        # An odd bare fence may as well open a block that the next passage closes; then prose stands before it.
        if any(map(_HEADING.match, before)) or 2 * sum(map(_looks_like_code, before)) < len(before):
            return 0
        end = self._lines[fences[0]][0]
        if self._text[:end].strip():
            self._done.append(_block(Kind.CODE, 0, end, self._text))
        return fences[0] + 1

    def _data_lines(self, number: int) -> int:
        """How many lines from here on are settings without a fence, as a PDF or a web page leaves them; 0 for none."""
        run: list[str] = []
        for _, line in self._lines[number:]:
            if not line.strip() or _FENCE.match(line):
                break
            run.append(line)
        keys = sum(_KEY.match(line) is not None for line in run)
        data = keys + sum(_DATA.match(line) is not None for line in run)
        return len(run) if keys >= 2 and data >= 0.8 * len(run) and 2 * keys >= len(run) else 0

    def _fenced(self, number: int, fence: re.Match[str]) -> int:
        self._close()
        start = self._lines[number][0]
        last = next((n for n in range(number + 1, len(self._lines)) if self._closes(n, fence.group(1))), None)
        body = self._lines[number + 1][0] if number + 1 < len(self._lines) else len(self._text)
        body_end = self._lines[last][0] if last is not None else len(self._text)
        end = body_end + len(self._lines[last][1]) if last is not None else len(self._text)
        indent = len(fence.group(0)) - len(fence.group(0).lstrip(" \t>"))
        inner = _block(Kind.CODE, body, max(body, body_end), self._text)
        self._done.append(
            replace(inner, start=start, end=end, body=body, body_end=inner.end, indent=indent, language=fence.group(2))
        )
        self._after_blank = True
        return len(self._lines) if last is None else last + 1

    def _closes(self, number: int, opening: str) -> bool:
        fence = _FENCE.match(self._lines[number][1])
        return fence is not None and not fence.group(2) and fence.group(1).startswith(opening)

    def _marked(self, start: int, line: str) -> bool:
        """Take a line that says itself what it is; False when it does not."""
        end = start + len(line)
        if _RULE.match(line):
            self._close()
            if self._done and self._done[-1].kind is Kind.ROW and "|" in line:
                self._done[-1] = replace(self._done[-1], kind=Kind.HEADING)  # the head of the table
            return True
        if _HEADING.match(line) or _ROW.match(line) or _OPTION.match(line):
            self._close()
            self._done.append(_block(Kind.HEADING if _HEADING.match(line) else Kind.ROW, start, end, self._text))
            return True
        if _PROMPT.match(line) or self._indented_as_code(line):
            self._code_line(start, end)
            return True
        if item := _ITEM.match(line):
            self._close()
            self._open = replace(
                _block(Kind.ITEM, start, end, self._text),
                body=start + item.end(),
                ordered=item.group(2)[0].isdigit(),
                indent=len(item.group(1).expandtabs(4)),
            )
            return True
        return False

    def _indented_as_code(self, line: str) -> bool:
        """Lines indented by four after a blank line or code are code; in a list, by four more than its words."""
        after = self._open.kind is Kind.CODE if self._open is not None else self._after_blank
        expanded = line.expandtabs(4)
        return after and len(expanded) - len(expanded.lstrip()) >= self._list_column() + 4

    def _list_column(self) -> int:
        """The column of the words of the list that goes on here; 0 outside of one."""
        for block in reversed(self._done):
            if block.kind is Kind.ITEM:
                return block.indent + (3 if block.ordered else 2)
            if block.kind is not Kind.CODE and block.indent == 0:
                break
        return 0

    def _code_line(self, start: int, end: int) -> None:
        if self._open is not None and self._open.kind is Kind.CODE:
            self._open = replace(self._open, end=end, body_end=end)
            return
        self._close()
        self._open = replace(_block(Kind.CODE, start, end, self._text), indent=self._list_column())

    def _prose(self, start: int, line: str) -> None:
        end = start + len(line.rstrip())
        if self._open is not None and self._open.kind is not Kind.CODE:
            self._open = replace(self._open, end=end, body_end=end)
            return
        self._close()
        indent = len(line) - len(line.lstrip())
        self._open = replace(_block(Kind.PARAGRAPH, start + indent, end, self._text), indent=indent)

    def _close(self) -> None:
        if self._open is not None:
            self._done.append(self._open)
            self._open = None
