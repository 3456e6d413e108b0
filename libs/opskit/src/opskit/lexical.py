"""How text becomes search terms, for the index and for the question alike: both sides must agree to the letter.

Milvus stores these terms in a field of its own and ranks them with BM25. Doing the analysis here rather than in a
Milvus analyzer gives the same terms on Milvus Lite and on a Milvus server, stems words, and splits identifiers.
"""

import re
from functools import lru_cache

import Stemmer

_WORD = re.compile(r"[^\W_]+(?:[._/-][^\W_]+)*")
_PART = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
STOP_WORDS = frozenset(
    """
    a about also an and any are as at be because been but by can could did do does each for from had has have here how
    i if in into is it its just many me more most much my no not of on or our s shall should so some such t than that
    the their them then there these they this to too us very was we were what when where which who whom whose why will
    with would you your
    """.split()
)


@lru_cache(maxsize=50_000)
def _stem(word: str) -> str:
    # A stemmer instance is not safe to share between threads; making one is cheap and the result is cached.
    return str(Stemmer.Stemmer("english").stemWord(word))


def lexical_terms(text: str) -> list[str]:
    """The search terms of `text`, in order, with repeats.

    `ApplicationSet` gives applicationset, application, set; `argocd-cm` gives argocdcm, argocd, cm; words are stemmed;
    stop words are left out, and so is what an apostrophe leaves behind.
    """
    terms: list[str] = []
    for match in _WORD.finditer(text):
        word = match.group(0)
        parts = _PART.findall(word)
        if len(parts) > 1:
            terms.append("".join(parts).lower())
        for part in parts:
            lowered = part.lower()
            if lowered in STOP_WORDS:
                continue
            terms.append(_stem(lowered))
            pieces = _CAMEL.findall(part) if part.isascii() else []
            if len(pieces) > 1:
                terms.extend(_stem(piece.lower()) for piece in pieces if len(piece) > 1)
    return terms


def lexical_text(text: str) -> str:
    """The terms of `text` as one string of words, the form Milvus is given."""
    return " ".join(lexical_terms(text))
