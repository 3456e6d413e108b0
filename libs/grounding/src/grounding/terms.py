"""Words that carry meaning, in a form in which two texts can be compared."""

import re

_STOP = frozenset(
    """
    a am an and any are as at be been but by can could did do does each else every for from had has have here how i if
    in into is it its just like may me might my no not of off on onto or our out over please shall should so some such
    than that the their them then there these they this those to too us was we were what when where which who whom
    whose why will with would you your
    """.split()
)
_WORD = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def terms(text: str) -> frozenset[str]:
    """The words of a text that carry meaning, crudely stemmed; `ApplicationSet` also gives its parts."""
    found: set[str] = set()
    for match in _WORD.finditer(text):
        word = match.group()
        found.update(_stem(part) for part in (word, *_CAMEL.findall(word)) if _meaningful(part))
    return frozenset(found)


def _meaningful(word: str) -> bool:
    return word.lower() not in _STOP and (len(word) > 1 or word.isdigit())


def _stem(word: str) -> str:
    lowered = word.lower()
    if lowered.isdigit():
        return lowered
    return (lowered[:-1] if lowered.endswith("s") and len(lowered) > 3 else lowered)[:6]
