"""How much of a question one sentence of a passage speaks of. Pure.

A chunk may hold all words of a question and still not answer it, because they stand in different sentences. Each
question term weighs as much as it tells the candidates apart (BM25's inverse document frequency, among them alone); the
title and the headings above a passage count for each of its sentences.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from opskit.lexical import lexical_terms

from rag.ports import Found

_SENTENCE_ENDS = re.compile(r"(?<=[.!?])\s+|\n+")

Terms = frozenset[str]


def by_coverage(candidates: Sequence[Found], question: str, *, weight: float) -> list[Found]:
    """The candidates with coverage added to their scores, best first; scores stay within 0 and 1."""
    covered = coverage(set(lexical_terms(question)), candidates)
    scored = [
        replace(one, score=(one.score + weight * share) / (1 + weight))
        for one, share in zip(candidates, covered, strict=True)
    ]
    return sorted(scored, key=lambda one: (-one.score, one.chunk_id))


def coverage(asked: set[str], candidates: Sequence[Found]) -> list[float]:
    """For each candidate the share, 0 to 1, of the question's weight that its best sentence has."""
    places = [_terms(f"{one.title} {one.heading}") for one in candidates]
    sentences = [_sentences(one.text) for one in candidates]
    weights = _weights(asked, [place.union(*parts) for place, parts in zip(places, sentences, strict=True)])
    total = sum(weights.values())
    if not total:
        return [0.0] * len(candidates)
    return [
        max((_weight(asked & (place | part), weights) for part in parts), default=0.0) / total
        for place, parts in zip(places, sentences, strict=True)
    ]


def _weights(asked: set[str], texts: Sequence[Terms]) -> Mapping[str, float]:
    having = {term: sum(term in text for text in texts) for term in asked}
    return {term: math.log(1 + (len(texts) - count + 0.5) / (count + 0.5)) for term, count in having.items()}


def _weight(terms: set[str], weights: Mapping[str, float]) -> float:
    return sum(weights[term] for term in terms)


@lru_cache(4096)
def _terms(text: str) -> Terms:
    return frozenset(lexical_terms(text))


# Popular passages come back with each question about them; reading one takes a tenth of a millisecond.
@lru_cache(8192)
def _sentences(text: str) -> tuple[Terms, ...]:
    parts = (frozenset(lexical_terms(part)) for part in _SENTENCE_ENDS.split(text))
    return tuple(part for part in parts if part)
