"""Cheap scores of an answer, 0 to 1, from words alone: good enough to see a trend, for every answer. Pure."""

import re
from collections.abc import Iterable, Sequence

from opskit.contracts.answers import AnswerScores, Citation
from opskit.lexical import lexical_terms

from rag.ports import Found
from rag.verdict import Verdict

_CITATION_MARK = re.compile(r"\[\d+\]")


def scores_of(question: str, verdict: Verdict, passages: Sequence[Found]) -> AnswerScores | None:
    """The scores that mean something: none for small talk or an empty knowledge base, where nothing was read."""
    if not passages:
        return None
    if verdict.abstained:
        return AnswerScores(context_relevance=_context(set(lexical_terms(question)), passages))
    return score(question, verdict.text, verdict.citations, passages)


def score(question: str, answer: str, citations: Sequence[Citation], passages: Sequence[Found]) -> AnswerScores:
    """Groundedness: the share of the answer's words that its quotes hold. Context relevance: the cosine of the nearest
    passage, or the share of the question's words in the passages where no cosine was measured. Answer relevance: the
    share of the question's words that answer, quotes and their titles speak of."""
    quoted = " ".join(f"{citation.title} {citation.quote}" for citation in citations)
    asked = set(lexical_terms(question))
    return AnswerScores(
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
