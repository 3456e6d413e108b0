"""Where sentences end. Pure and small: good enough to cut an over-long paragraph where a person would."""

import re
from collections.abc import Iterator

_END = re.compile(r"""(?:[.!?…]+["'”’)\]`*_]*(?=\s)|[。！？]+["'”’」』]*)""")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\[])(?:e\.g|i\.e|etc|vs|cf|al|approx|fig|figs|no|nos|vol|ch|sec|dr|mr|mrs|ms|prof|st|inc|ltd|co|corp"
    r"|jan|feb|mar|apr|jun|jul|aug|sep|sept|oct|nov|dec|[A-Za-z])\.$",
    re.IGNORECASE,
)
_OPENS = re.compile(r"""\s+["'“‘(\[`*_]*[^\W_a-z]|\s+[`"'“‘(\[*_-]|\s*\n""")


def sentence_spans(text: str) -> Iterator[tuple[int, int]]:
    """The half-open ranges of the sentences of `text`, in order, without the white space between them."""
    start = 0
    for match in _END.finditer(text):
        if _is_end(text, match.start(), match.end()):
            yield from _span(text, start, match.end())
            start = match.end()
    yield from _span(text, start, len(text))


def _is_end(text: str, at: int, after: int) -> bool:
    if text[at] in "。！？":
        return True
    if text[at] == "." and after - at == 1 and _ABBREVIATION.search(text[max(0, at - 8) : after]):
        return False
    return bool(_OPENS.match(text, after)) or not text[after:].strip()


def _span(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if end > start:
        yield start, end
