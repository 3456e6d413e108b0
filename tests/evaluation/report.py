"""From outcomes to a table that people read and JSON that programs compare."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.evaluation import metrics
from tests.evaluation.corpus import Question
from tests.evaluation.judging import DEEPEST, Reply, judged

Ranks = Mapping[str, int | None]
"""Question id to the rank of its evidence."""


def retrieval(questions: Sequence[Question], ranks: Mapping[str, Ranks]) -> dict[str, Any]:
    """hit@1, hit@5, hit@10 and MRR@10 of every system, with 95 % intervals."""
    ids = [question.id for question in questions if question.answerable]
    figures: dict[str, Any] = {}
    for system, of_system in ranks.items():
        columns = {
            **{f"hit@{at}": [float((of_system[id] or DEEPEST + 1) <= at) for id in ids] for at in (1, 5, DEEPEST)},
            f"MRR@{DEEPEST}": [metrics.reciprocal_rank(of_system[id], DEEPEST) for id in ids],
        }
        figures[system] = {name: _summary(values) for name, values in columns.items()}
    return figures


def answers(
    questions: Sequence[Question], replies: Mapping[str, Reply], texts: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    """The figures of answers, over all answerable questions and by their kind."""
    groups: dict[str, list[Question]] = {"all": [question for question in questions if question.answerable]}
    for question in groups["all"]:
        groups.setdefault(question.kind, []).append(question)
    return {name: _of_group(group, replies, texts) for name, group in groups.items()}


def _of_group(group: Sequence[Question], replies: Mapping[str, Reply], texts: Mapping[str, str]) -> dict[str, Any]:
    rows = [judged(question, replies[question.id], texts) for question in group]
    names = dict.fromkeys(name for row in rows for name in row)
    figures = {name: _summary([row[name] for row in rows if name in row]) for name in names}
    answered = [float(not replies[question.id].abstained) for question in group]
    return {"answered": _summary(answered), **figures}


def abstention(questions: Sequence[Question], replies: Mapping[str, Reply]) -> dict[str, float]:
    """How well it knows what it does not know."""
    pairs = [(not question.answerable, replies[question.id].abstained) for question in questions]
    precision, recall = metrics.abstention(pairs)
    return {"precision": precision, "recall": recall, "unanswerable questions": sum(pair[0] for pair in pairs)}


def sureness(questions: Sequence[Question], replies: Mapping[str, Reply]) -> dict[str, Any]:
    """Abstention were it bolder or shyer, and how well sureness says what is right; empty where none was told."""
    told = [(question, replies[question.id]) for question in questions if replies[question.id].sureness is not None]
    if not told:
        return {}
    refusing = [(not question.answerable, reply.sureness or 0.0) for question, reply in told]
    right = [(reply.sureness or 0.0, bool(metrics.contains(reply.text, question.answers))) for question, reply in told]
    given = [case for case, (_, reply) in zip(right, told, strict=True) if not reply.abstained]
    return {
        "abstention curve": metrics.abstention_curve(refusing),
        "calibration": metrics.calibration(given),
        "expected calibration error": round(metrics.calibration_error(given), 4),
    }


def latency(replies: Iterable[Reply]) -> dict[str, float]:
    """Seconds of whole answers, one client."""
    seconds = [reply.seconds for reply in replies]
    return {"p50": metrics.percentile(seconds, 0.5), "p95": metrics.percentile(seconds, 0.95)}


def _summary(values: Sequence[float]) -> dict[str, Any]:
    low, high = metrics.interval(values)
    return {"mean": round(metrics.mean(values), 4), "low": round(low, 4), "high": round(high, 4), "n": len(values)}


def show(result: Mapping[str, Any], console: Console) -> None:
    """Everything as tables."""
    console.print(_figures("Retrieval", "system", result["retrieval"]))
    if "answers" in result:
        console.print(_figures("Answers to answerable questions", "kind", result["answers"]))
        console.print("Abstention:", ", ".join(f"{name} {value:.3g}" for name, value in result["abstention"].items()))
        if error := result.get("sureness", {}).get("expected calibration error"):
            console.print(f"Expected calibration error: {error:.3f}")
        console.print("Latency:", ", ".join(f"{name} {value:.3f} s" for name, value in result["latency"].items()))


def beside(results: Mapping[str, Mapping[str, Any]], console: Console) -> None:
    """Several evaluations side by side."""
    console.print(
        _figures("Retrieval", "evaluation", {name: one["retrieval"]["nexus"] for name, one in results.items()})
    )
    with_answers = {name: one for name, one in results.items() if "answers" in one}
    for kind in dict.fromkeys(kind for one in with_answers.values() for kind in one["answers"]):
        rows = {name: one["answers"].get(kind, {}) for name, one in with_answers.items()}
        console.print(_figures(f"Answers, {kind}", "evaluation", rows))
    for name, one in with_answers.items():
        figures = {**one["abstention"], **{f"latency {at}": seconds for at, seconds in one["latency"].items()}}
        console.print(f"{name}:", ", ".join(f"{figure} {value:.3g}" for figure, value in figures.items()))


def _figures(title: str, first: str, rows: Mapping[str, Mapping[str, Any]]) -> Table:
    names = list(dict.fromkeys(name for row in rows.values() for name in row))
    table = Table(title=f"{title} (mean, 95 % interval)", title_justify="left")
    table.add_column(first)
    for name in names:
        table.add_column(name, justify="right")
    for system, row in rows.items():
        table.add_row(system, *(_cell(row.get(name)) for name in names))
    return table


def _cell(figure: Mapping[str, float] | None) -> str:
    return "" if figure is None else f"{figure['mean']:.3f} [{figure['low']:.2f}–{figure['high']:.2f}]"
