"""What is read together: a question with one or more passages, of which at most one answers it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random

from trainer.base.made_questions import passages, questions
from trainer.base.neighbours import Neighbours
from trainer.base.rows import Document, Row
from trainer.base.swapped import impossible

NEAR = 6
"""How many passages found for a question are kept to take wrong ones from."""


@dataclass(frozen=True, slots=True)
class Group:
    """A question and its passages. The answer is [start, end) of the first; `start` is -1 when none answers."""

    question: str
    passages: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True)
class Mixture:
    """How often what is made of a row in one pass."""

    wrong_beside: float = 0.45
    """An answered question comes with a wrong passage that a search returns, beside the right one."""
    right_gone: float = 0.12
    """It also comes with wrong passages alone."""
    made_impossible: float = 0.10
    """It also comes changed so that its passage no longer answers it."""
    capitals_gone: float = 0.05


class Material:
    """Rows with what is needed to make groups of them: near passages, and passages on the same subject. `others` are
    passages that only ever stand beside an answer."""

    def __init__(self, rows: Sequence[Row], others: Iterable[str] = ()) -> None:
        self.rows = rows
        pool = list(dict.fromkeys([*(row.passage for row in rows), *others]))
        self._neighbours = Neighbours(pool)
        self._near = self._neighbours.of([row.question for row in rows], NEAR)
        self._on_subject: dict[tuple[str, str], list[str]] = defaultdict(list)
        for row in rows:
            self._on_subject[row.source, row.title].append(row.passage)

    def groups(self, random: Random, mixture: Mixture) -> list[Group]:
        """One pass over the rows, in random order: other wrong passages and other changes each time."""
        made = [group for number in range(len(self.rows)) for group in self._of_row(number, random, mixture)]
        random.shuffle(made)
        return made

    def _of_row(self, number: int, random: Random, mixture: Mixture) -> list[Group]:
        row = self.rows[number]
        question = row.question.lower() if random.random() < mixture.capitals_gone else row.question
        wrong = self._wrong(number, random)
        if not row.answered:
            beside = (wrong,) if wrong and random.random() < mixture.wrong_beside / 2 else ()
            return [Group(question, (row.passage, *beside), -1, -1)]
        beside = (wrong,) if wrong and random.random() < mixture.wrong_beside else ()
        made = [Group(question, (row.passage, *beside), row.start, row.end)]
        if random.random() < mixture.right_gone and (alone := self._wrong(number, random)):
            made.append(Group(question, (alone,), -1, -1))
        if random.random() < mixture.made_impossible:
            elsewhere = random.choice(self._on_subject[row.source, row.title])
            changed = impossible(row.question, row.passage, elsewhere, random)
            if changed:
                made.append(Group(changed, (row.passage,), -1, -1))
        return made

    def _wrong(self, number: int, random: Random) -> str | None:
        row = self.rows[number]
        return self._neighbours.wrong(self._near[number], row.passage, row.answer, random)


def other_passages(documents: Sequence[Document], count: int, random: Random) -> dict[str, str]:
    """About `count` passages of the documents, each with its document's title."""
    titles: dict[str, str] = {}
    for document in random.sample(documents, len(documents)):
        if len(titles) >= count:
            break
        titles.update(dict.fromkeys(passages(document, random), document.title))
    return titles


def rows_from_documents(documents: Sequence[Document], count: int, random: Random) -> list[Row]:
    """About `count` made questions, at most six from a document."""
    rows: list[Row] = []
    for document in random.sample(documents, len(documents)):
        if len(rows) >= count:
            break
        cut = passages(document, random)
        for passage in random.sample(cut, min(3, len(cut))):
            rows += questions(document, passage, random, most=2)
    return rows[:count]
