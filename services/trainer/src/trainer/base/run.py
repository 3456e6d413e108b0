"""The whole way from files to a reader that can be served: read, train, calibrate, export, measure, report."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random

from nexus_serving.engines.contract import Passage
from nexus_serving.engines.embedder import Embedder
from nexus_serving.engines.extractive import ExtractiveReader
from nexus_serving.reader_model import Calibration, calibrate, export_reader

from trainer.base.calibration import (
    Curve,
    Outcome,
    at,
    best_threshold,
    curve,
    expected_calibration_error,
    fit_sureness,
    with_unanswerable,
)
from trainer.base.groups import Mixture, other_passages, rows_from_documents
from trainer.base.measuring import Given, SpanReading, as_searched, engine_outcomes, scored, with_distractors
from trainer.base.report import write_report
from trainer.base.rows import Document, Row, Unseen, read_documents, read_rows
from trainer.base.squad import Asked, read_set
from trainer.base.training import Part, Recipe, Training

Say = Callable[[str], None]
HELD_OUT = 33
"""One passage in so many is kept from training, for calibration."""
CALIBRATED_ON = 1600
DOCUMENTS = 0.3
OTHERS = 30_000
"""Passages of the documents that stand beside those that are asked about."""
DISTRACTORS = 4
AMONG = 4
"""For each question that the training ends with, so many others stand among them: with fewer it forgets the others."""
MOST_REFUSED_WRONGLY = 0.05
"""Of the questions that the passages answer, at most so many may be refused; within that the threshold refuses as many
of the others as it can."""

UNANSWERABLE = 0.2
"""Of the questions that sureness is fitted on, so many have no answer: about as many as people ask."""


class NothingToTrainOn(Exception):
    """The data leave no row; the message says why."""


@dataclass(frozen=True)
class Order:
    """What to train, from what, and where to."""

    encoder: Path
    embedder: Path
    """As it is served: the engine that is calibrated compares meanings with it."""
    questions: Sequence[Path]
    folder: Path
    documents: Sequence[Path] = ()
    """To make questions from, and to take wrong passages from."""
    calibrate_on: Sequence[Path] = ()
    """Questions as users ask them, kept out of the training; a share of the training's own when there are none."""
    sets: Sequence[Path] = ()
    """Kept out of the training, and measured on."""
    without: frozenset[str] = frozenset()
    """Sources (`src`) that are left out."""
    made: int = 9000
    finish_on: Sequence[Path] = ()
    """Questions of the kind that the reader is for: the training ends with them, twice, among as many others."""
    passes: float = 1.6
    """How often each row is read."""
    most: int | None = None
    recipe: Recipe = field(default_factory=Recipe)
    mixture: Mixture = field(default_factory=Mixture)
    compiled: bool = True


def train_reader(order: Order, say: Say) -> Path:
    """Train, or go on, and leave in the order's folder `reader/` (to be served), `figures.json` and `report.html`.

    Raises:
        UnreadableData, NothingToTrainOn, CannotResume.
    """
    sets = {path.name.split(".json")[0]: read_set(path) for path in order.sets}
    asked_by_users = [row for path in order.calibrate_on for row in read_rows(path)]
    unseen = _unseen(sets, asked_by_users)
    human, held = _split(order, unseen)
    documents = _documents(order)
    random = Random(order.recipe.seed)
    rows = human + rows_from_documents(documents, order.made, random)
    others = other_passages(documents, OTHERS, random)
    if not rows:
        raise NothingToTrainOn("no row is left to train on: are the sources named by --without, or all held out?")
    random.shuffle(rows)
    rows = rows[: order.most]
    say(f"{len(rows)} rows to train on, {len(held)} held out for calibration")
    parts = [Part(rows, order.passes, list(others))]
    if finish := [row for path in order.finish_on for row in read_rows(path) if unseen(row)][: order.most]:
        among = random.sample(rows, min(len(rows), AMONG * len(finish)))
        parts.append(Part([*finish, *finish, *among], 1.0, list(others)))
    training = Training(order.encoder, order.folder, order.recipe, order.mixture, compiled=order.compiled)
    training.run(parts, say)
    searched = as_searched(_some(asked_by_users or held), others, Random(4))
    figures = measure(order.folder, order.embedder, searched, held, sets, say)
    figures["rows"] = _counted([*rows, *finish])
    figures["recipe"] = {"passes": order.passes, **asdict(order.recipe), **asdict(order.mixture)}
    (order.folder / "figures.json").write_text(json.dumps(figures, indent=2) + "\n")
    write_report(order.folder, figures)
    say(f"The reader is in {order.folder / 'reader'}, its report in {order.folder / 'report.html'}")
    return order.folder / "reader"


def measure(
    folder: Path,
    embedder: Path,
    searched: Sequence[tuple[Asked, list[Passage]]],
    held: Sequence[Row],
    sets: dict[str, list[Asked]],
    say: Say,
) -> dict[str, object]:
    """Export what `folder/trained` holds to `folder/reader`, calibrate it on `searched`, and measure it on the sets.

    The threshold of the span alone, for the sets, is chosen on `held`, as if half of it had no answer: so it is in
    SQuAD 2.0.
    """
    reader = folder / "reader"
    export_reader(folder / "trained", reader, Calibration(0.0))
    say(f"Calibrating on {len(searched)} held-out questions")
    outcomes = engine_outcomes(ExtractiveReader(reader, Embedder(embedder)), searched)
    usual = with_unanswerable(outcomes, UNANSWERABLE)
    sureness = fit_sureness(usual[::2])
    threshold = best_threshold(outcomes, most_refused_wrongly=MOST_REFUSED_WRONGLY)
    calibrate(reader, Calibration(round(threshold, 2), round(sureness.slope, 4), round(sureness.bias, 4)))
    reading = SpanReading(reader)
    alone = [
        one.outcome for one in reading.given([(Asked(r.question, r.passage, _answers(r)), [r.passage]) for r in held])
    ]
    span_threshold = best_threshold(alone, unanswerable=0.5)
    figures: dict[str, object] = {
        "calibration": {
            "questions": len(outcomes),
            "chosen": asdict(at(outcomes, threshold)),
            "expected_calibration_error": expected_calibration_error(usual[1::2], sureness),
            "curve": [asdict(one) for one in curve(outcomes, 40)],
            "outcomes": [[round(one.score, 3), round(one.worth, 3), one.answerable] for one in outcomes],
            "slope": sureness.slope,
            "bias": sureness.bias,
        },
        "span_threshold": span_threshold,
    }
    for name, asked in sets.items():
        say(f"Measuring on {name}")
        figures[name] = _measured(reading, asked, span_threshold)
    return figures


def held_out(row: Row) -> bool:
    """Whether a row's passage is kept for calibration: decided by its text alone, so that it is the same every time."""
    return int(hashlib.sha256(row.passage.encode()).hexdigest(), 16) % HELD_OUT == 0


def _measured(reading: SpanReading, asked: Sequence[Asked], threshold: float) -> dict[str, object]:
    given = reading.given([(one, [one.passage]) for one in asked])
    figures: dict[str, object] = {}
    if all(one.answers for one in asked):
        figures["gold passage"] = asdict(scored(given))
        if len({one.passage for one in asked}) > DISTRACTORS:
            beside = reading.given(with_distractors(asked, DISTRACTORS, Random(5)))
            figures[f"with {DISTRACTORS} distractors"] = asdict(scored(beside))
        return figures
    outcomes = [one.outcome for one in given]
    return {
        "gold passage": asdict(scored(given, threshold)),
        "abstention": asdict(at(outcomes, threshold)),
        "best possible": asdict(_best(given, outcomes)),
        "curve": [asdict(one) for one in curve(outcomes, 40)],
    }


def _best(given: Sequence[Given], outcomes: Sequence[Outcome]) -> Curve:
    """With the threshold that this very set would choose: how much of what is missing is the threshold's fault."""
    return at(outcomes, best_threshold(outcomes))


def _unseen(sets: dict[str, list[Asked]], asked_by_users: Sequence[Row]) -> Unseen:
    """What may be trained on: no set that is measured on, and nothing that the calibration rests on."""
    kept_out: list[Asked | Row] = [*(one for asked in sets.values() for one in asked), *asked_by_users]
    return Unseen([one.passage for one in kept_out], [one.question for one in kept_out])


def _split(order: Order, unseen: Unseen) -> tuple[list[Row], list[Row]]:
    read = (row for path in order.questions for row in read_rows(path))
    kept = [row for row in read if row.source not in order.without and unseen(row) and len(row.answer) < 300]
    return [row for row in kept if not held_out(row)], [row for row in kept if held_out(row)]


def _documents(order: Order) -> list[Document]:
    """A share of the documents: all would be far more than are needed."""
    random = Random(order.recipe.seed)
    read = (document for path in order.documents for document in read_documents(path))
    return [one for one in read if one.source not in order.without and random.random() < DOCUMENTS]


def _some(rows: Sequence[Row]) -> list[Row]:
    return Random(3).sample(rows, min(CALIBRATED_ON, len(rows)))


def _answers(row: Row) -> tuple[str, ...]:
    return (row.answer,) if row.answered else ()


def _counted(rows: Sequence[Row]) -> dict[str, dict[str, int]]:
    """How many rows came from where, and how many of them have no answer."""
    counted: dict[str, dict[str, int]] = {}
    for row in rows:
        one = counted.setdefault(row.source, {"rows": 0, "without an answer": 0})
        one["rows"] += 1
        one["without an answer"] += not row.answered
    return dict(sorted(counted.items(), key=lambda item: -item[1]["rows"]))
