"""Sentences that say what something is, found by their form: the reader is weak at these, and the form is plain."""

import re
from collections.abc import Iterator

from grounding.blocks import Block, Kind
from grounding.reading import read
from grounding.sentences import sentences

_SUBJECT = re.compile(
    r"^\s*(?:what(?:'s|\s+is|\s+are|\s+was|\s+were)|who\s+is|define|explain|describe)\s+(?:(?:an?|the)\s+)?(?P<be>[^?]+?)"
    r"(?:\s+(?:in|for|within|of)\s+[A-Z][\w ]*)?\s*\??\s*$"
    r"|^\s*what\s+(?:does|do)\s+(?:(?:an?|the)\s+)?(?P<mean>.+?)\s+(?:mean|do|stand\s+for|refer\s+to)\b",
    re.I,
)
_VERBS = (
    r"(?:is|are|was|were|means?|refers?\s+to|represents?|describes?|denotes?|stands?\s+for|provides?|allows?|enables?"
    r"|lets?|contains?|defines?|specifies)"
)


def subject(question: str) -> str | None:
    """What a definition is asked of."""
    found = _SUBJECT.match(question)
    return (found.group("be") or found.group("mean")).strip() if found else None


def defining_sentences(thing: str, text: str, found: list[Block]) -> Iterator[tuple[int, int]]:
    """Sentences of the form "A thing is …", and entries of the form "Thing: …" or "**Thing** …"."""
    name = rf"(?:(?:an?|the)\s+)?[\"'`*_]*{_as_pattern(thing)}(?:s|es)?[\"'`*_]*"
    sentence = re.compile(rf"\s*(?:in\s+[\w ]{{2,30}},\s+)?{name}(?:\s*\([^)]*\))?\s+{_VERBS}\b", re.I)
    entry = re.compile(rf"{name}\s*(?:\([^)]*\))?\s*(?:[:–—-]\s+\S|(?-i:[A-Z]\w+\s+\w+\s))", re.I)
    for block in found:
        if block.kind not in (Kind.PARAGRAPH, Kind.ITEM, Kind.ROW):
            continue
        ranges = sentences(text, block.body, block.body_end)
        if ranges and entry.match(read(text[block.body : block.body_end]).text):
            yield ranges[0]
        for start, end in ranges:
            if sentence.match(read(text[start:end]).text):
                yield start, end


def _as_pattern(thing: str) -> str:
    return r"[\s-]+".join(re.escape(word) for word in thing.strip("\"'`").split())
