"""Sentences of a stretch of prose, as character ranges. Lines may be wrapped: a line break need not end a sentence."""

import re
from itertools import pairwise

_END = re.compile(r"[.!?][\"'”’)\]*_`]*(?:\[\d+\])*\s+(?=[>\s]*[\"'“‘(\[`*_$<]*[A-Z0-9`])|[。！？]")
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|cf|Mr|Mrs|Ms|Dr|St|Jr|Sr|No|Fig|Eq|Sec|Inc|Ltd|Co|Corp|approx|al|Gen|Col|Prof|Rev|U\.S"
    r"|a\.m|p\.m|ca|c|v|resp|incl|max|min)|\b[A-Z])\.$"
)
_ENUMERATED = re.compile(r"(?:^|[:;.]\s)\s*\(?\d{1,2}\.$")
SHORT_LINE = 0.6
"""A line shorter than this share of its paragraph's longest line was ended by its writer, not wrapped."""


def sentences(text: str, start: int = 0, end: int | None = None) -> list[tuple[int, int]]:
    """Ranges of the sentences in [start, end) of `text`, without the white space around them."""
    end = len(text) if end is None else end
    found: list[tuple[int, int]] = []
    begin = start
    for stop in sorted({*_marked_ends(text, start, end), *_ended_lines(text, start, end)}):
        before = text[begin:stop].rstrip()
        if _ABBREVIATION.search(before) or _ENUMERATED.search(before):
            continue
        found.append((begin, stop))
        begin = stop
    found.append((begin, end))
    return [trimmed for first, last in found if (trimmed := trim(text, first, last)) is not None]


def trim(text: str, start: int, end: int) -> tuple[int, int] | None:
    """The range without white space at its ends; None when nothing is left."""
    inner = text[start:end]
    start += len(inner) - len(inner.lstrip())
    end -= len(inner) - len(inner.rstrip())
    return (start, end) if start < end else None


def _marked_ends(text: str, start: int, end: int) -> list[int]:
    return [match.end() for match in _END.finditer(text, start, end)]


def _ended_lines(text: str, start: int, end: int) -> list[int]:
    """Line breaks that end a sentence without a mark: blank lines, and short lines before a capital."""
    lines = text[start:end].split("\n")
    longest = max(map(len, lines))
    ends: list[int] = []
    place = start
    for line, following in pairwise(lines):
        place += len(line) + 1
        head = following.lstrip(" \t>*_`\"'(")[:1]
        blank = not line.strip(" \t>") or not following.strip(" \t>")
        ended = len(line) < SHORT_LINE * longest and (head.isupper() or head.isdigit())
        if blank or (ended and not line.rstrip().endswith((",", ";", "-", "—", "("))):
            ends.append(place)
    return ends
