"""Which words of a passage support a sentence, if any.

A sentence is supported by a passage when one place of it, a sentence or two, a list item, a table row or a piece of
code, speaks of most of what the sentence says, and the passage has every number and identifier in it. That is a check
of words: it finds what was made up, and lets through what is put differently; it cannot tell "is" from "is not".
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from grounding.blocks import Kind, blocks
from grounding.sentences import sentences
from grounding.terms import terms

COVERED = 0.6
"""The share of a sentence's terms that its place in the passage must have."""
FEW = 2
"""A sentence with fewer terms ("Yes.", "Follow these steps:") claims nothing that could be checked."""
LONGEST_PAIR = 420
"""Characters of two sentences that may be quoted together."""

_NUMBER = re.compile(r"(?<![\w.])\d[\d.,:]*(?:[a-zA-Z%]{1,3}\b)?")
_IDENTIFIER = re.compile(r"(?<!\w)(?:--?[A-Za-z][\w-]+|\w+(?:[._/:-]\w+)*[._/]\w+|[a-z]+[A-Z]\w+|[A-Z]+_[A-Z_]+)")


@dataclass(frozen=True, slots=True)
class Support:
    """Characters [start, end) of the passage with this number."""

    passage: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Place:
    """Characters [start, end) of a passage that may be quoted, and what they speak of."""

    start: int
    end: int
    terms: frozenset[str]


@dataclass(frozen=True)
class Evidence:
    """A numbered passage as it is looked through for support. `about` is its title and headings."""

    number: int
    text: str
    about: str = ""

    @cached_property
    def places(self) -> tuple[Place, ...]:
        return tuple(Place(start, end, terms(self.text[start:end])) for start, end in _places(self.text))

    @cached_property
    def lowered(self) -> str:
        return f"{self.about}\n{self.text}".lower()

    @cached_property
    def about_terms(self) -> frozenset[str]:
        return terms(self.about)

    def coverage(self, wanted: frozenset[str]) -> tuple[float, Place | None]:
        """The share of the terms that the best place has, and the place; the shortest of equals. Titles and headings
        count for every place of the passage."""
        best = max(
            self.places,
            key=lambda place: (
                len(wanted & (place.terms | self.about_terms)),
                len(wanted & place.terms),
                -place.end + place.start,
            ),
            default=None,
        )
        if best is None or not wanted & best.terms:
            return 0.0, None
        return len(wanted & (best.terms | self.about_terms)) / len(wanted), best

    def holds(self, exact: Iterable[str]) -> bool:
        """Whether all these numbers and identifiers stand in the passage."""
        return all(re.search(rf"(?<![\w.]){re.escape(one)}(?!\w)", self.lowered) for one in exact)


def claims(sentence: str) -> bool:
    """Whether a sentence says something that a passage could support."""
    return not sentence.rstrip().endswith((":", "?")) and len(terms(sentence)) >= FEW


def support(sentence: str, question: str, evidence: Sequence[Evidence]) -> Support | None:
    """The best support of a sentence among some passages; None when nothing supports it.

    Words of the question count little: an answer repeats them whether it is right or not. What is exact must stand in
    the passage, unless the question brought it up.
    """
    said = terms(sentence)
    new = said - terms(question)
    wanted = new if len(new) >= FEW else said
    exact = exact_words(sentence) - exact_words(question)
    found: list[tuple[float, int, Support]] = []
    for rank, one in enumerate(evidence):
        share, place = one.coverage(wanted)
        if place is not None and share >= COVERED and one.holds(exact):
            found.append((share, -rank, Support(one.number, place.start, place.end)))
    return max(found, key=lambda item: item[:2])[2] if found else None


def exact_words(text: str) -> frozenset[str]:
    """Numbers and identifiers, in lower case: no two ways to write them."""
    found = (match.group() for pattern in (_NUMBER, _IDENTIFIER) for match in pattern.finditer(text))
    return frozenset(word.strip(".,:").lower() for word in found)


def _places(text: str) -> Iterable[tuple[int, int]]:
    for block in blocks(text):
        if block.kind is Kind.HEADING:
            continue
        if block.kind in (Kind.ROW, Kind.CODE):
            yield block.body, block.body_end
            continue
        inside = sentences(text, block.body, block.body_end)
        yield from inside
        yield from ((a, d) for (a, _), (_, d) in pairwise(inside) if d - a <= LONGEST_PAIR)
