"""The words of an answer: the short answer first, then what it rests on."""

import re
import textwrap
from collections.abc import Iterator

from grounding.blocks import Block, Kind
from grounding.reading import plain
from grounding.units import Unit

from nexus_serving.engines.procedures import Procedure

ABSTENTION = "The documents I can search do not say."
_PROSE_WORD = re.compile(r"[a-z]+(?=\s|$)")
_ENDED = (".", "!", "?", "…", ":")
_LIST_MARK = re.compile(r"^[\s>]*(?:[-*+•]|\d{1,3}[.)])\s+")


def short_piece(text: str, start: int, end: int, kind: Kind) -> str:
    """A short answer as it is shown: inline code in its marks, prose with a capital, ended by a point."""
    words = plain(text[start:end]).replace("`", "")
    if kind is Kind.CODE or _is_code(text, start, end):
        words = f"`{words}`"
    elif _PROSE_WORD.match(words):
        words = words[0].upper() + words[1:]
    return words if words.endswith(_ENDED) else f"{words}."


def quoted(text: str, unit: Unit, number: int) -> str:
    """The unit as a quotation with its citation."""
    if unit.kind is Kind.CODE:
        return f"\n\n{fenced(text[unit.start : unit.end])}\n\n[{number}]"
    return f' "{shown(text, unit)}" [{number}]'


def also(text: str, unit: Unit, number: int) -> str:
    """A second quotation, after an answer that another place may give better."""
    return f"\n\nSee also:{quoted(text, unit, number)}"


def sentence_alone(text: str, unit: Unit, number: int) -> str:
    """The unit itself as the answer."""
    if unit.kind is Kind.CODE:
        return f"{fenced(text[unit.start : unit.end])}\n\n[{number}]"
    words = shown(text, unit)
    return f"{words if words.endswith(_ENDED) else words + '.'} [{number}]"


def shown(text: str, unit: Unit) -> str:
    """A unit on one line without broken markup; the cells of a row with bars between."""
    source = text[unit.start : unit.end]
    if unit.kind is Kind.ROW and source.lstrip().startswith("|"):
        cells = [plain(cell) for cell in re.split(r"(?<!\\)\|", source.strip().strip("|"))]
        words = " | ".join(cell for cell in cells if cell)
    else:
        words = plain(_LIST_MARK.sub("", source))
    if unit.cut:
        words = f"{'' if words[:1].isupper() else '… '}{words}{'' if words.endswith(_ENDED) else ' …'}"
    return words


def procedure_pieces(text: str, procedure: Procedure, number: int) -> Iterator[str]:
    """The lead-in, each step or piece of code, and the citation."""
    if procedure.start < procedure.acts_from:
        yield plain(text[procedure.start : procedure.acts_from])
        yield "\n\n"
    before: Block | None = None
    for block in procedure.parts:
        if before is not None:
            yield "\n" if before.kind is Kind.ITEM and block.kind is Kind.ITEM else "\n\n"
        yield _step(text, block)
        before = block
    yield f"\n\n[{number}]"


def fenced(code: str, language: str = "") -> str:
    """Code in a fence that the code itself cannot close."""
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall(r"`+", code)), 0)
    return f"{fence}{language}\n{textwrap.dedent(code).strip()}\n{fence}"


def _step(text: str, block: Block) -> str:
    indent = " " * block.indent
    if block.kind is Kind.CODE:
        first = text.rfind("\n", 0, block.body) + 1  # the first line's indentation belongs to the code
        return textwrap.indent(fenced(text[first : block.body_end], block.language), indent)
    words = plain(text[block.body : block.end])
    if block.kind is Kind.PARAGRAPH:
        return indent + words
    return f"{indent}{text[block.start : block.body].strip(' >' + chr(9) + chr(10))} {words}"


def _is_code(text: str, start: int, end: int) -> bool:
    """Whether the range is exactly a piece of inline code."""
    return text[start - 1 : start] == "`" and text[end : end + 1] == "`"
