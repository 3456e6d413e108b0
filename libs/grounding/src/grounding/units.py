"""What to quote: the sentence, list item, table row or lines of code that hold an answer."""

import re
from dataclasses import dataclass
from itertools import pairwise

from grounding.blocks import Block, Kind, block_at
from grounding.sentences import sentences, trim

LONGEST = 420
"""Characters that a person still reads as one quotation."""

_POINTS_BACK = re.compile(r"[>\s*_]*(?:This|These|It|They|That|Those|Such|Both|Otherwise|By default, (?:it|this))\b")
WITH_BEFORE = 320
"""Characters of two sentences that are quoted together, where the second points back to the first."""

_BAR = re.compile(r"(?<!\\)\|")
_CLAUSE = re.compile(r"[,;:]\s|\s[-–—(]|\s")


@dataclass(frozen=True)
class Unit:
    """Characters [start, end) of a passage, to be quoted together; `cut` when it is a part of something too long."""

    kind: Kind
    start: int
    end: int
    cut: bool = False


def unit_of(text: str, found: list[Block], start: int, end: int) -> Unit:
    """The unit that holds [start, end)."""
    block = block_at(found, start, end)
    if block is None:
        return _shortened(text, Unit(Kind.PARAGRAPH, start, end), start, end)
    start, end = max(start, block.body), min(end, block.body_end)
    if block.kind in (Kind.ROW, Kind.HEADING):
        # A row is quoted whole, though the answer stands in one of its cells.
        return _shortened(text, Unit(block.kind, block.start, block.end), start, end)
    if block.kind is Kind.CODE:
        return _code_lines(text, block, start, end)
    return _shortened(text, _sentence(text, block, start, end), start, end)


def cell_of(text: str, unit: Unit, start: int, end: int) -> tuple[int, int]:
    """Where an answer may reach: the table cell that holds most of [start, end), or all of any other unit."""
    if unit.kind is not Kind.ROW or "|" not in text[unit.start : unit.end]:
        return unit.start, unit.end
    bars = [unit.start - 1, *(m.start() for m in _BAR.finditer(text, unit.start, unit.end)), unit.end]
    return max(
        ((first + 1, last) for first, last in pairwise(bars)),
        key=lambda cell: min(cell[1], end) - max(cell[0], start),
    )


def _code_lines(text: str, block: Block, start: int, end: int) -> Unit:
    """The lines of code that hold the range, without the white space around them."""
    first = text.rfind("\n", block.body, start) + 1
    last = text.find("\n", end, block.body_end)
    lines = trim(text, max(first, block.body), block.body_end if last < 0 else last)
    return Unit(Kind.CODE, *(lines or (start, end)))


def _sentence(text: str, block: Block, start: int, end: int) -> Unit:
    """The sentence that holds the range, with the one before it when it points back ("This is …")."""
    ranges = sentences(text, block.body, block.body_end)
    holding = [number for number, (first, last) in enumerate(ranges) if first < end and last > start]
    if not holding:
        return Unit(block.kind, block.body, block.body_end)
    first, last = ranges[holding[0]][0], ranges[holding[-1]][1]
    if holding[0] > 0 and _POINTS_BACK.match(text[first:last]):
        before = ranges[holding[0] - 1][0]
        first = before if last - before <= WITH_BEFORE else first
    return Unit(block.kind, first, last)


def _shortened(text: str, unit: Unit, start: int, end: int) -> Unit:
    """A unit too long to quote is cut at clauses around the answer; what is shown marks the cuts."""
    if unit.end - unit.start <= LONGEST:
        return unit
    spare = max(0, LONGEST - (end - start)) // 2
    first = _boundary_after(text, max(unit.start, start - spare), start) if start - spare > unit.start else unit.start
    last = _boundary_before(text, end, min(unit.end, end + spare)) if end + spare < unit.end else unit.end
    return Unit(unit.kind, *(trim(text, first, last) or (start, end)), cut=True)


def _boundary_after(text: str, low: int, high: int) -> int:
    return next((match.end() for match in _CLAUSE.finditer(text, low, high)), high)


def _boundary_before(text: str, low: int, high: int) -> int:
    return max((match.start() for match in _CLAUSE.finditer(text, low, high)), default=low)
