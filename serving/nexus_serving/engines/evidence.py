"""How well each candidate answer is supported, beyond the reader's own score.

The reader scores a span by how it reads. What a careful person also weighs is added to that score in its own unit
(logits): does the answer look like what was asked for, does its sentence speak of what was asked, does the passage
name what the question names, and how high did the passage rank. The weights were set by hand on the questions that
the reader is calibrated on, each to the roundest value that helped; they only help to choose, and never make an answer.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from grounding.terms import terms

from nexus_serving.engines.questions import asked_terms, expected, looks_as_expected, names

RANK = 0.3
"""Lost for each place down the order in which the passages came."""
LOOK = 2.0
"""Gained by an answer that looks as asked for, lost by one that does not, when the question says."""
SENTENCE = 1.0
"""Gained by a sentence with all the question's words."""
ROW = 6.0
"""The same for a row of a table: it is about what its cells name, and its neighbours answer other questions."""
NAME = 4.0
"""Lost for each name or number of the question that the passage lacks."""
MEANING = 9.0
UNRELATED = 0.4
"""What the cosine of question and sentence is worth above that of sentences on the same subject."""


@dataclass(frozen=True)
class Question:
    """A question as it is weighed: the weight of each of its terms, and the names in it."""

    text: str
    weights: dict[str, float]
    names: frozenset[str]

    @classmethod
    def over(cls, question: str, passages: Sequence[str]) -> "Question":
        """Terms that few of the passages have weigh more; those that none has weigh most."""
        held = [terms(passage) for passage in passages]
        asked = asked_terms(question)
        counts = {term: sum(term in one for one in held) for term in asked}
        weights = {term: math.log(1 + (len(held) + 1) / (count + 0.5)) for term, count in counts.items()}
        return cls(question, weights, names(question))

    def coverage(self, text: str) -> float:
        """The share of the question's terms, by weight, that a text has."""
        total = sum(self.weights.values())
        if not total:
            return 0.0
        held = terms(text)
        return sum(weight for term, weight in self.weights.items() if term in held) / total

    def missing_names(self, text: str) -> int:
        """How many of the question's names a text lacks."""
        lowered = text.lower()
        return sum(name not in lowered for name in self.names)


def by_meaning(cosine: float) -> float:
    """What is added for how alike the question and the answer's sentence are to the embedder, which has read far more
    ways to say a thing than the reader."""
    return MEANING * (cosine - UNRELATED)


def prior(question: Question, *, rank: int, answer: str, sentence: str, passage: str, in_row: bool = False) -> float:
    """What is added to the reader's score of `answer`, found in `sentence` of the passage that came `rank`-th."""
    wanted = expected(question.text)
    look = 0.0 if wanted is None else LOOK if looks_as_expected(answer, wanted) else -LOOK
    return (
        look
        + (ROW if in_row else SENTENCE) * question.coverage(sentence)
        - RANK * rank
        - NAME * question.missing_names(passage)
    )
