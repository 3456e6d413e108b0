"""Answers to how-to questions: steps, or code, with the words that lead to them."""

from collections.abc import Iterator
from dataclasses import dataclass

from grounding.blocks import Block, Kind
from grounding.sentences import sentences

LONGEST = 1600
"""Characters of a procedure; a longer one is cut after a whole step."""


@dataclass(frozen=True)
class Procedure:
    """Steps or code, [start, end) of a passage, and where the blocks that act begin after their lead-in."""

    start: int
    end: int
    acts_from: int
    parts: tuple[Block, ...]

    def holds(self, place: int) -> bool:
        return self.start <= place < self.end

    @property
    def lists_things(self) -> bool:
        """Whether it is a list rather than code with a few words."""
        items = sum(block.kind is Kind.ITEM for block in self.parts)
        return items >= 2 and 2 * items >= len(self.parts)


def procedures(text: str, found: list[Block]) -> list[Procedure]:
    """The procedures of a passage, in order."""
    return [made for run in _runs(found) if (made := _procedure(text, found, run)) is not None]


def _runs(found: list[Block]) -> Iterator[tuple[int, int]]:
    """Stretches of blocks that act, [first, last]: lists, code, and short words between two pieces of code."""
    first: int | None = None
    last = 0
    for number, block in enumerate(found):
        if _acts(block) or (first is not None and block.kind is Kind.PARAGRAPH and block.indent > 0):
            first, last = (number if first is None else first), number
        elif first is not None and not (_links(block) and number + 1 < len(found) and _acts(found[number + 1])):
            yield first, last
            first = None
    if first is not None:
        yield first, last


def _acts(block: Block) -> bool:
    return block.kind in (Kind.ITEM, Kind.CODE)


def _links(block: Block) -> bool:
    """Words that go on with a list or lead from one command to the next."""
    return block.kind is Kind.PARAGRAPH and (block.indent > 0 or block.end - block.start <= 240)


def _procedure(text: str, found: list[Block], run: tuple[int, int]) -> Procedure | None:
    first, last = run
    acting = found[first : last + 1]
    items = [block for block in acting if block.kind is Kind.ITEM]
    if len(items) == 1 and len(acting) == 1:
        return None  # a lone item is a sentence
    start = _lead_in(text, found, first)
    parts: list[Block] = []
    for block in acting:
        if parts and block.end - start > LONGEST:
            break
        parts.append(block)
    if parts[-1].kind is Kind.PARAGRAPH and parts[-1].indent == 0 and len(parts) > 1:
        parts.pop()
    return Procedure(start, parts[-1].end, acting[0].start, tuple(parts))


def _lead_in(text: str, found: list[Block], first: int) -> int:
    """Where the words that lead to the first acting block begin: the last sentence of the paragraph before it."""
    if first == 0:
        return found[0].start
    before = found[first - 1]
    if before.kind is not Kind.PARAGRAPH:
        return found[first].start
    ranges = sentences(text, before.body, before.body_end)
    return ranges[-1][0] if ranges and before.end - before.start > 300 else before.start
