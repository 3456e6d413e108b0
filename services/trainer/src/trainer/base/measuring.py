"""What a trained reader can do: the served model on question sets, and the served engine on passages as found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from nexus_serving.engines.contract import Passage, ReaderRequest
from nexus_serving.engines.extractive import ExtractiveReader
from nexus_serving.engines.inference import length_buckets, open_session, padded
from nexus_serving.engines.spans import Span, best_spans
from nexus_serving.engines.windows import Windows
from tokenizers import Tokenizer

from trainer.base.calibration import Outcome
from trainer.base.neighbours import Neighbours
from trainer.base.rows import Row
from trainer.base.squad import Asked, exact_match, f1

BATCH_TOKENS = 4096
PASSAGES = 8
"""Read together where the engine is measured: about as many as a search gives."""
AT_ONCE = 400
"""Questions whose windows are read in one go."""


@dataclass(frozen=True, slots=True)
class Given:
    """The reader's best span for a question, before any threshold."""

    asked: Asked
    text: str
    score: float

    @property
    def outcome(self) -> Outcome:
        return Outcome(self.score, f1(self.text, self.asked.answers), bool(self.asked.answers))


@dataclass(frozen=True, slots=True)
class Score:
    """Exact match and F1 over questions, 0 to 100."""

    exact: float
    f1: float
    questions: int


def with_distractors(asked: Sequence[Asked], count: int, random: Random) -> list[tuple[Asked, list[str]]]:
    """Each question with its passage and `count` others that a search finds for it, in random order."""
    pool = list(dict.fromkeys(one.passage for one in asked))
    near = Neighbours(pool).of([one.question for one in asked], count + 1)
    made = []
    for one, numbers in zip(asked, near, strict=True):
        others = [pool[number] for number in numbers if pool[number] != one.passage][:count]
        made.append((one, random.sample([one.passage, *others], len(others) + 1)))
    return made


class SpanReading:
    """The exported model alone: windows in, best spans out, as the served engine does it."""

    def __init__(self, folder: Path, threads: int = 2) -> None:
        self._session = open_session(folder / "model.onnx", threads)
        self._windows = Windows(Tokenizer.from_file(str(folder / "tokenizer.json")))

    def given(self, questions: Sequence[tuple[Asked, list[str]]]) -> list[Given]:
        """The best span of each question over all its passages."""
        return [
            one
            for start in range(0, len(questions), AT_ONCE)
            for one in self._given(questions[start : start + AT_ONCE])
        ]

    def _given(self, questions: Sequence[tuple[Asked, list[str]]]) -> list[Given]:
        cut = [self._windows.cut(asked.question, passages, 1_000_000) for asked, passages in questions]
        rows = [(number, window) for number, windows in enumerate(cut) for window in windows]
        best: dict[int, Span] = {}
        for bucket in length_buckets([len(window.ids) for _, window in rows], BATCH_TOKENS):
            taken = [rows[row] for row in bucket]
            inputs = padded([window.ids for _, window in taken], [window.types for _, window in taken])
            for (number, window), logits in zip(taken, self._session.run(None, inputs)[0], strict=True):
                for span in best_spans(window, logits, 1):
                    if number not in best or span.score > best[number].score:
                        best[number] = span
        return [self._said(asked, passages, best.get(number)) for number, (asked, passages) in enumerate(questions)]

    @staticmethod
    def _said(asked: Asked, passages: list[str], span: Span | None) -> Given:
        if span is None:
            return Given(asked, "", float("-inf"))
        return Given(asked, passages[span.passage][span.start : span.end], span.score)


def scored(given: Sequence[Given], threshold: float = float("-inf")) -> Score:
    """Exact match and F1 when nothing below the threshold is said."""
    said = [(one.text if one.score >= threshold else "", one.asked.answers) for one in given]
    exact = sum(exact_match(*one) for one in said) / len(said)
    return Score(100 * exact, 100 * sum(f1(*one) for one in said) / len(said), len(said))


def as_searched(
    rows: Sequence[Row], others: Mapping[str, str], random: Random, *, gone: float = 0.3
) -> list[tuple[Asked, list[Passage]]]:
    """Held-out rows as a search would give them: the passage in its place among near ones, or, for a share of the
    answerable, near ones alone. Near ones are those of other rows and `others` (text to title)."""
    titles = {**others, **{row.passage: row.title for row in rows}}
    pool = list(titles)
    near = Neighbours(pool).of([row.question for row in rows], 2 * PASSAGES)
    made: list[tuple[Asked, list[Passage]]] = []
    for row, numbers in zip(rows, near, strict=True):
        wrong = [pool[number] for number in numbers if pool[number] != row.passage]
        wrong = [text for text in wrong if not row.answered or row.answer.lower() not in text.lower()]
        left_out = row.answered and random.random() < gone
        texts = wrong[:PASSAGES]
        if not left_out:
            found = [pool[number] for number in numbers]
            place = found.index(row.passage) if row.passage in found else PASSAGES
            texts = [*wrong[: PASSAGES - 1][:place], row.passage, *wrong[: PASSAGES - 1][place:]]
        answers = (row.answer,) if row.answered and not left_out else ()
        passages = [Passage(place, text, titles[text]) for place, text in enumerate(texts, start=1)]
        if passages:
            made.append((Asked(row.question, row.passage, answers), passages))
    return made


def engine_outcomes(reader: ExtractiveReader, questions: Sequence[tuple[Asked, list[Passage]]]) -> list[Outcome]:
    """What the whole served engine would do: its best draft's score with all evidence. An answer is worth its F1, or 1
    when what it quotes holds the answer."""
    outcomes = []
    for asked, passages in questions:
        draft = reader.draft(ReaderRequest(asked.question, tuple(passages), max_prompt_tokens=1_000_000))
        if draft is None:
            outcomes.append(Outcome(-30.0, 0.0, bool(asked.answers)))
            continue
        quoted = draft.support.text + (draft.second[1].text if draft.second else "")
        held = any(answer.lower() in quoted.lower() for answer in asked.answers)
        worth = 1.0 if held else f1(draft.short, asked.answers) if asked.answers else 0.0
        outcomes.append(Outcome(draft.score, worth, bool(asked.answers)))
    return outcomes
