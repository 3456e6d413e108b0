"""Checking what an answer claims to rest on. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from opskit.contracts.answers import Citation
from opskit.contracts.reader import Passage, Support

from rag.ports import Found


@dataclass(frozen=True, slots=True)
class Checked:
    """The citations that hold, and how many supports did not."""

    citations: list[Citation]
    dropped: int


def check(supports: Sequence[Support], shown: Sequence[tuple[Passage, Found]]) -> Checked:
    """Turn supports into citations. A quote is cut out of the passage by us, so it is verbatim or it is not there: a
    support that names no passage, or a range that is not within its text or holds no word, is dropped. The same
    support twice is one citation."""
    by_number: Mapping[int, tuple[Passage, Found]] = {passage.number: (passage, found) for passage, found in shown}
    citations: dict[tuple[int, str], Citation] = {}
    dropped = 0
    for support in supports:
        quote = _quote(support, by_number)
        if quote is None:
            dropped += 1
            continue
        passage, found = by_number[support.passage]
        citations[passage.number, quote] = Citation(
            index=passage.number,
            document=passage.document,
            title=passage.title,
            quote=quote,
            chunk_id=found.chunk_id,
            score=round(found.score, 4),
            page=passage.page,
        )
    return Checked(list(citations.values()), dropped)


def _quote(support: Support, passages: Mapping[int, tuple[Passage, Found]]) -> str | None:
    if support.passage not in passages:
        return None
    text = passages[support.passage][0].text
    if not 0 <= support.start < support.end <= len(text):
        return None
    quote = text[support.start : support.end].strip()
    return quote if any(character.isalnum() for character in quote) else None
