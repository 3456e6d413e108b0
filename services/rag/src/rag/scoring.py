"""Cheap scores of an answer, 0 to 1, from words alone: good enough to see a trend, for every answer. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from opskit.contracts.answers import Citation
from opskit.lexical import lexical_terms

from rag.ports import Found

_CITATION_MARK = re.compile(r"\[\d+\]")


@dataclass(frozen=True, slots=True)
class Scores:
    """How an answer looks from outside."""

    groundedness: float
    context_relevance: float
    answer_relevance: float


def score(question: str, answer: str, citations: Sequence[Citation], passages: Sequence[Found]) -> Scores:
    """Groundedness: the share of the answer's words that its quotes hold. Context relevance: the cosine of the nearest
    passage, or the share of the question's words in the passages where no cosine was measured. Answer relevance: the
    share of the question's words that answer, quotes and their titles speak of."""
    quoted = " ".join(f"{citation.title} {citation.quote}" for citation in citations)
    asked = set(lexical_terms(question))
    return Scores(
        groundedness=_share(
            set(lexical_terms(_CITATION_MARK.sub("", answer))), lexical_terms(" ".join(one.quote for one in citations))
        ),
        context_relevance=_context(asked, passages),
        answer_relevance=_share(asked, lexical_terms(f"{answer} {quoted}")),
    )


def _context(asked: set[str], passages: Sequence[Found]) -> float:
    similarities = [one.similarity for one in passages if one.similarity is not None]
    if similarities:
        return min(1.0, max(0.0, max(similarities)))
    return _share(asked, (term for one in passages for term in lexical_terms(one.text)))


def _share(wanted: set[str], given: Iterable[str]) -> float:
    return len(wanted & set(given)) / len(wanted) if wanted else 0.0
