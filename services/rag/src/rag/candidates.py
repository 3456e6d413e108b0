"""Which of the candidates count. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from opskit.lexical import lexical_terms

from rag.ports import Found


def newest_generations(candidates: Sequence[Found]) -> list[Found]:
    """Without chunks of a document's older version: while one replaces the other both can be found, but nobody may
    read them mixed."""
    newest: dict[str, int] = {}
    for one in candidates:
        newest[one.document] = max(one.generation, newest.get(one.document, one.generation))
    return [one for one in candidates if one.generation == newest[one.document]]


def related(candidates: Sequence[Found], question: str, *, similar_from: float) -> list[Found]:
    """Without those that share neither a word nor a meaning with the question. A search returns the nearest however far
    they are, and a reader that picks spans finds a number in anything."""
    asked = set(lexical_terms(question))
    return [
        one
        for one in candidates
        if one.similarity is None  # found by its words
        or one.similarity >= similar_from
        or not asked.isdisjoint(lexical_terms(f"{one.title} {one.heading} {one.text}"))
    ]


def worth_reading(candidates: Iterable[Found], *, per_document: int) -> Iterator[Found]:
    """Without texts that were there already, wherever they stand, and with at most so many of one document."""
    texts: set[str] = set()
    documents: Counter[str] = Counter()
    for one in candidates:
        text = " ".join(one.text.split())
        if text in texts or documents[one.document] >= per_document:
            continue
        texts.add(text)
        documents[one.document] += 1
        yield one
