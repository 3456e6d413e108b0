"""Sentences of a text, as character ranges."""

import re

_END = re.compile(r"[.!?][\"')\]]*(?:\[\d+\])*\s+(?=[\"'(\[`]?[A-Z0-9`])")
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|Mr|Mrs|Ms|Dr|St|Jr|Sr|No|Fig|Inc|Ltd|Co|Corp|approx|al|Gen|Col|Prof|Rev|U\.S|a\.m|p\.m|ca|c|v)"
    r"|\b[A-Z])\.$"
)


def sentences(text: str) -> list[tuple[int, int]]:
    """Ranges of sentences, without the white space around them; a line break always ends one."""
    found: list[tuple[int, int]] = []
    for line in re.finditer(r"[^\n]+", text):
        begin = line.start()
        for match in _END.finditer(text, line.start(), line.end()):
            if not _ABBREVIATION.search(text[begin : match.start() + 1]):
                found.append((begin, match.end()))
                begin = match.end()
        found.append((begin, line.end()))
    return [trimmed for start, end in found if (trimmed := trim(text, start, end)) is not None]


def trim(text: str, start: int, end: int) -> tuple[int, int] | None:
    """The range without white space at its ends; None when nothing is left."""
    inner = text[start:end]
    start += len(inner) - len(inner.lstrip())
    end -= len(inner) - len(inner.rstrip())
    return (start, end) if start < end else None
