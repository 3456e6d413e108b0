"""Which answers are looked at more closely. Pure."""

import hashlib
from dataclasses import dataclass

from opskit.contracts.answers import AnswerRecord


def lot(answer_id: str) -> float:
    """The number in [0, 1) that is drawn for an answer: always the same one, on every machine."""
    return int.from_bytes(hashlib.sha256(answer_id.encode()).digest()[:4]) / 2**32


@dataclass(frozen=True, slots=True)
class Shares:
    """Of the answers, the share that is traced and the share that is judged. One lot decides on both: what is judged is
    among what is traced."""

    traced: float
    judged: float

    def traces(self, answer_id: str) -> bool:
        """Whether an answer becomes a trace. Scores need one to stand at."""
        return lot(answer_id) < max(self.traced, self.judged)

    def judges(self, answer: AnswerRecord) -> bool:
        """Whether an answer is judged: one of the sample that says something about what was found."""
        return lot(answer.answer_id) < self.judged and answer.outcome == "answered" and bool(answer.passages)
