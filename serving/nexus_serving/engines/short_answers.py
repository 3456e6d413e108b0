"""From a span of tokens to a short answer a person would give: whole words, whole code, number with unit."""

import re

from grounding.sentences import trim

LONGEST_WORDS = 24
WHOLE_CODE = 40
"""Inline code up to this length is one word; of longer code a part may be the answer."""
_JOINED = frozenset("-_./:@=%$#~+&\\?^’")
"""Characters that hold a word together when none of its sides is white space: `--set`, `v1.8.0`, `argocd-cm`."""

_CODE = re.compile(r"`([^`\n]+)`")
_UNIT = re.compile(
    r"[ \u00a0]?(?:%|(?:milli|micro|nano)?seconds?|secs?|ms|minutes?|mins?|hours?|days?|weeks?|months?|years?"
    r"|[KMGT]i?B?|bytes?|[kmg]?bits?|characters?|chars?|spaces?|tokens?|lines?|entries|items?|groups?|revisions?|replicas?|pods?"
    r"|nodes?|times|retries|attempts|requests?|connections?|users?|percent|degrees?|km|kg|cm|mm|metres?|meters?|miles?)\b"
)
_EDGES_LEFT = " \t\n,;:.!?)]}>*_`\"'“”|•"
_EDGES_RIGHT = " \t\n,;:.!?([{<*_`\"'“”|"
_PAIRS = {"(": ")", "[": "]", "{": "}", "<": ">"}


def complete(text: str, start: int, end: int, low: int, high: int) -> tuple[int, int]:
    """The range [start, end) grown to whole words and code, and freed of stray marks, within [low, high)."""
    start, end = _whole_words(text, max(start, low), min(end, high), low, high)
    start, end = _whole_code(text, start, end, low, high)
    start, end = _without_edges(text, start, end)
    start, end = _balanced(text, start, end, high)
    return start, _with_unit(text, start, end, high)


def fits(text: str) -> bool:
    """Whether a text is short enough to stand as a short answer."""
    return len(text.split()) <= LONGEST_WORDS


def _whole_words(text: str, start: int, end: int, low: int, high: int) -> tuple[int, int]:
    while start > low and _in_word(text[start - 1]):
        start -= 1
    while end < high and _in_word(text[end]):
        end += 1
    return start, end


def _in_word(character: str) -> bool:
    return character.isalnum() or character in _JOINED


def _whole_code(text: str, start: int, end: int, low: int, high: int) -> tuple[int, int]:
    """Inline code that is touched is taken whole."""
    for code in _CODE.finditer(text, low, high):
        first, last = code.span(1)
        touched = min(end, last) - max(start, first)
        if touched > 0 and (last - first <= WHOLE_CODE or 2 * touched >= last - first):
            start, end = min(start, first), max(end, last)
    return start, end


def _without_edges(text: str, start: int, end: int) -> tuple[int, int]:
    start, end = trim(text, start, end) or (start, end)
    if text[start - 1 : start] != "`":  # what stands in code's marks is meant, stray or not
        while start < end - 1 and text[start] in _EDGES_LEFT and not _begins_token(text, start, end):
            start += 1
    if text[end : end + 1] != "`":
        while start < end - 1 and text[end - 1] in _EDGES_RIGHT:
            end -= 1
    return start, end


def _begins_token(text: str, start: int, end: int) -> bool:
    """A point before a word belongs to it: `.helmignore`, `.spec.imageName`."""
    return text[start] == "." and start + 1 < end and text[start + 1].isalnum()


def _balanced(text: str, start: int, end: int, high: int) -> tuple[int, int]:
    """Close a bracket that the range opens when its end is near, cut before it otherwise; drop a closing one alone."""
    for opening, closing in _PAIRS.items():
        inner = text[start:end]
        if inner.count(opening) > inner.count(closing):
            close = text.find(closing, end, min(high, end + 40))
            cut = text.rfind(opening, start, end)
            if close >= 0 and "\n\n" not in text[end:close]:
                end = close + 1
            elif cut > start:
                start, end = _without_edges(text, start, cut)
            else:
                start += 1
        elif inner.count(closing) > inner.count(opening) and closing != ">":
            if inner.endswith(closing):
                end -= 1
            elif inner.find(closing) >= 0 and opening not in inner:
                start, end = _without_edges(text, start, start + inner.index(closing))
    return start, end


def _with_unit(text: str, start: int, end: int, high: int) -> int:
    """A number is not an answer without its unit."""
    if end <= start or not text[end - 1].isdigit():
        return end
    unit = _UNIT.match(text, end, high)
    return unit.end() if unit else end
