"""A judge that needs no language model: it compares words and meanings. Pure; the embedder is handed in.

It is fair to wording and blind to truth: "is" and "is not" are close to each other. Its scores are good for comparing
releases and for seeing a trend, and they are the same whenever and wherever they are made.

Of 250 questions of SQuAD 1.1's development set it put the right passage before another of the same article in 96 % of
all pairs (cosines alone: 88 %), the right answer before another sentence of its passage in 94 %, and a right answer
over its passage before the same over another in 99 %.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from grounding.abstentions import abstains
from grounding.evidence import Evidence, claims, exact_words, support
from grounding.marks import without_marks
from grounding.sentences import sentences
from grounding.terms import terms
from numpy.typing import NDArray

from trainer.observing.judging import about_and_text

VERSION: Final = "1"
"""Change it with anything that changes a score: scores of two versions are not compared."""

Embed = Callable[[Sequence[str]], NDArray[np.float32]]
"""Texts to vectors of unit length."""

_STRANGERS, _TWINS = 0.1, 0.7
"""Cosines of all-MiniLM-L6-v2: of texts that have nothing to do with each other, and of a question and the passage that
answers it at its best."""
_UNSUPPORTED_AT_MOST: Final = 0.5
"""For a statement that is near a passage in meaning, while its words are not there."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """A score from 0 to 1, and why."""

    score: float
    reason: str


class LocalJudge:
    """Judges by the nearness of meanings (cosines) and by words that must be there."""

    def __init__(self, embed: Embed) -> None:
        self._embed = embed

    def context_relevance(self, question: str, context: str) -> Opinion:
        """How much a passage is about the question: half by meaning, half by the question's words in its best place."""
        about, text = about_and_text(context)
        cosine = self._cosine(question, f"{about}\n{text}" if about else text)
        wanted = terms(question)
        share, _ = Evidence(1, text, about).coverage(wanted)
        score = (_nearness(cosine) + share) / 2 if wanted else _nearness(cosine)
        return Opinion(score, f"Cosine {cosine:.2f}; {share:.0%} of the question's words stand in one place.")

    def groundedness(self, question: str, answer: str, contexts: Sequence[str]) -> list[tuple[str, Opinion]]:
        """Each statement of the answer with how well the passages hold it. An answer without a statement is one."""
        evidence = [
            Evidence(number, text, about) for number, (about, text) in enumerate(map(about_and_text, contexts), start=1)
        ]
        said = statements(answer)
        return [(one, self._held(one, question, evidence)) for one in said]

    def answer_relevance(self, question: str, answer: str) -> Opinion:
        """How much the answer speaks to the question: half by meaning, half by the question's words in it."""
        plain = without_marks(answer)
        if abstains(plain, ""):
            return Opinion(0.0, "It does not answer.")
        cosine = self._cosine(question, plain)
        wanted = terms(question)
        share = len(wanted & terms(plain)) / len(wanted) if wanted else 0.0
        score = (_nearness(cosine) + share) / 2 if wanted else _nearness(cosine)
        return Opinion(score, f"Cosine {cosine:.2f}; {share:.0%} of the question's words are taken up.")

    def _held(self, statement: str, question: str, evidence: Sequence[Evidence]) -> Opinion:
        if abstains(statement, ""):
            return Opinion(1.0, "Saying that it is not known claims nothing.")
        found = support(statement, question, evidence)
        if found is not None:
            return Opinion(1.0, f"Passage {found.passage}: {_quoted(evidence, found.passage, found.start, found.end)}")
        exact = exact_words(statement) - exact_words(question)
        holding = [one for one in evidence if one.holds(exact)]
        if not holding:
            missing = ", ".join(sorted(exact))
            return Opinion(0.0, f"No passage has {missing}." if missing else "There is no passage.")
        cosine, nearest = self._nearest(statement, holding)
        return Opinion(
            _UNSUPPORTED_AT_MOST * _nearness(cosine), f"Nothing says it; the nearest has cosine {cosine:.2f}: {nearest}"
        )

    def _nearest(self, statement: str, evidence: Sequence[Evidence]) -> tuple[float, str]:
        """The place of some passages that is nearest in meaning."""
        texts = [one.text[place.start : place.end] for one in evidence for place in one.places] or [""]
        vectors = self._embed([statement, *texts])
        cosines = vectors[1:] @ vectors[0]
        best = int(np.argmax(cosines))
        return float(cosines[best]), _shortened(texts[best])

    def _cosine(self, first: str, second: str) -> float:
        one, other = self._embed([first, second])
        return float(one @ other)


def statements(answer: str) -> list[str]:
    """What an answer claims, sentence by sentence, without its citations; the whole of it when it claims nothing."""
    plain = without_marks(answer).strip()
    said = [plain[start:end] for start, end in sentences(plain)]
    return [one for one in said if claims(one)] or [plain]


def _nearness(cosine: float) -> float:
    return min(1.0, max(0.0, (cosine - _STRANGERS) / (_TWINS - _STRANGERS)))


def _quoted(evidence: Sequence[Evidence], number: int, start: int, end: int) -> str:
    return _shortened(evidence[number - 1].text[start:end])


def _shortened(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= 300 else f"{plain[:299]}…"
