"""The plain text behind Markdown, with each character's place in the source.

The reader was trained on prose, and markup between the words costs it answers; a person should not see broken markup
either. Yet an answer must come back as a range of the verbatim passage. So markup is left out, and every character
kept knows where it came from.
"""

import re
from dataclasses import dataclass

_TAGS = (
    "a|abbr|b|blockquote|br|center|code|dd|details|div|dl|dt|em|h[1-6]|hr|i|img|kbd|li|ol|p|picture|pre|small|source"
    "|span|strong|sub|summary|sup|table|tbody|td|th|thead|tr|u|ul"
)
_DROPPED = (
    re.compile(r"^[ \t>]*(?:```|~~~).*$", re.M),  # fences
    re.compile(r"^[ \t]*\|?[ \t:|-]*-{3}[ \t:|-]*$", re.M),  # the rule under a table's head, and rules
    re.compile(rf"</?(?:{_TAGS})(?:\s[^<>]*)?/?>|<!--.*?-->", re.I | re.S),
    re.compile(r"!\[[^\]\n]*\]\([^)\n]*\)"),  # images
    re.compile(r"^[ \t>]*(?:\[!\w+\][ \t]*|(?:!!!|\?\?\?)[+ ]*\w+|:::[ \t]*\w*)", re.M),  # the labels of notes
    re.compile(r"^[ \t]*(?:>[ \t]?)+|^[ \t]*#{1,6}[ \t]+", re.M),  # quotation and heading marks
    re.compile(r"\\(?=[_*`#<>\[\]{}|\\])"),  # escapes
)
_LINK = re.compile(r"\[([^\]\n]+)\](?:\([^)\s]*(?:\s+\"[^\"]*\")?\)|\[[^\]\n]*\])")
_AUTOLINK = re.compile(r"<(https?://[^<>\s]+)>")
_EMPHASIS = re.compile(r"(?<!\\)(?:\*{1,3}(?=\S)|(?<=\S)\*{1,3}|(?<!\w)_{1,3}(?=\w)|(?<=\w)_{1,3}(?!\w)|~~)")
_CODE = re.compile(r"`[^`\n]+`")
_BACKTICKS = re.compile(r"`+")
_TABLE_ROW = re.compile(r"^[ \t]*\|.*\|[ \t]*$", re.M)
_BAR = re.compile(r"[ \t]*\|[ \t]*")


@dataclass(frozen=True)
class Reading:
    """What is read of a text; `places[i]` is where character i of `text` lies in the source."""

    text: str
    places: list[int]

    def source_range(self, start: int, end: int) -> tuple[int, int]:
        """The range of the source that the characters [start, end) of the reading come from."""
        return self.places[start], self.places[end - 1] + 1


def read(source: str, *, keep_code_marks: bool = False) -> Reading:
    """The reading of a text. Nothing is added; a bar between two cells of a table is read as a comma."""
    keep = [True] * len(source)
    code = [match.span() for match in _CODE.finditer(source)]
    for pattern in _DROPPED:
        for match in pattern.finditer(source):
            _drop(keep, *match.span())
    _drop_around_links(source, keep)
    for match in _EMPHASIS.finditer(source):
        # Stars and underscores mean themselves in code.
        if not any(start < match.start() < end for start, end in code):
            _drop(keep, *match.span())
    if not keep_code_marks:
        for match in _BACKTICKS.finditer(source):
            _drop(keep, *match.span())
    commas = _cell_commas(source, keep)
    kept = [place for place, wanted in enumerate(keep) if wanted]
    return Reading("".join("," if place in commas else source[place] for place in kept), kept)


def plain(source: str) -> str:
    """A text on one line as a person reads it: inline code keeps its marks, all other markup is gone."""
    return " ".join(read(source, keep_code_marks=True).text.split())


def _drop(keep: list[bool], start: int, end: int) -> None:
    keep[start:end] = [False] * (end - start)


def _drop_around_links(source: str, keep: list[bool]) -> None:
    """Of a link only its words are read."""
    for match in _LINK.finditer(source):
        _drop(keep, match.start(), match.start(1))
        _drop(keep, match.end(1), match.end())
    for match in _AUTOLINK.finditer(source):
        _drop(keep, match.start(), match.start() + 1)
        _drop(keep, match.end() - 1, match.end())


def _cell_commas(source: str, keep: list[bool]) -> set[int]:
    """Drop the outer bars of table rows, and return the bars between cells."""
    commas: set[int] = set()
    for row in _TABLE_ROW.finditer(source):
        bars = [match for match in _BAR.finditer(source, *row.span()) if _bar(source, match, keep)]
        for number, match in enumerate(bars):
            bar = source.index("|", match.start())
            _drop(keep, match.start(), bar)
            if 0 < number < len(bars) - 1:
                _drop(keep, bar + 1, match.end() - 1)
                commas.add(bar)
            else:
                _drop(keep, bar, match.end())
    return commas


def _bar(source: str, match: re.Match[str], keep: list[bool]) -> bool:
    """Whether it is a bar of the table, and not an escaped one or one already dropped with a rule."""
    bar = source.index("|", match.start())
    return keep[bar] and source[bar - 1 : bar] != "\\"
