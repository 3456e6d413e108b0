"""Where in the passages stands what a user's correction says. Pure.

People correct in their own words ("No, it is 14 hours!"), and a reader that quotes can only learn what stands in a
passage. So the longest stretch of words that correction and passage share is looked for, and counted by the words that
are news: neither in the question nor mere grammar.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_WORD = re.compile(r"\w+(?:[.,:'’/-]\w+)*")
_GRAMMAR = frozenset(
    """a an and are as at be been but by can do does for from had has have he her his i if in into is it its just no not
    of on only or our she should so than that the their them then there these they this to up was we were will with you
    your yes actually answer correct instead please right wrong""".split()
)


@dataclass(frozen=True, slots=True)
class Place:
    """The range [start, end) of a passage, counted from 0."""

    passage: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    start: int
    end: int


def located(said: str, question: str, passages: Sequence[str]) -> Place | None:
    """Where `said` stands: all of it where that can be found, else the stretch with most news in it; None where the
    passages share no news with it."""
    words = _words(said)
    if not words:
        return None
    said = said.strip(" \t\n.!\"'“”")
    for number, passage in enumerate(passages):
        if (match := re.search(rf"(?<!\w){re.escape(said)}(?!\w)", passage, re.I)) is not None:
            return Place(number, *match.span())
    known = _GRAMMAR | {word.text for word in _words(question)}
    found: list[tuple[tuple[bool, int, int], Place]] = []
    for number, passage in enumerate(passages):
        theirs = _words(passage)
        for start, length in _common(words, theirs):
            whole = length == len(words)
            stretch = theirs[start : start + length] if whole else _trimmed(theirs[start : start + length], known)
            news = sum(word.text not in known for word in stretch)
            if news or whole:
                place = Place(number, stretch[0].start, stretch[-1].end)
                found.append(((whole, news, -len(stretch)), place))
    return max(found, key=lambda one: one[0])[1] if found else None


def _words(text: str) -> list[_Word]:
    return [_Word(match.group().lower(), match.start(), match.end()) for match in _WORD.finditer(text)]


def _common(ours: Sequence[_Word], theirs: Sequence[_Word]) -> Iterator[tuple[int, int]]:
    """The stretches of `theirs` (first word, length) that stand in `ours` too, and could not be longer."""
    before = [0] * (len(ours) + 1)
    for place, word in enumerate(theirs):
        row = [0] * (len(ours) + 1)
        for number, our in enumerate(ours):
            if our.text == word.text:
                row[number + 1] = before[number] + 1
        following = theirs[place + 1].text if place + 1 < len(theirs) else None
        for number, length in enumerate(row[1:]):
            goes_on = number + 1 < len(ours) and ours[number + 1].text == following
            if length and not goes_on:
                yield place - length + 1, length
        before = row


def _trimmed(words: Sequence[_Word], known: frozenset[str] | set[str]) -> Sequence[_Word]:
    """Without words at either end that are no news."""
    new = [place for place, word in enumerate(words) if word.text not in known]
    return words[new[0] : new[-1] + 1] if new else words
