"""Quality over time by release: what to ask Prometheus, and the charts of what it says. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from ui.improvement import Release
from ui.improvement_words import percent, short
from ui.ports import Series

SPANS = {"1 hour": timedelta(hours=1), "6 hours": timedelta(hours=6), "24 hours": timedelta(hours=24)}
POINTS = 120
GRAY = "#8a8578"
COLORS = ["#2f8f6b", "#c07a2c", "#3f7fb8", "#9267b8", "#c2504b"]
DASHES = [[1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [12, 4]]


@dataclass(frozen=True)
class Question:
    """A figure over time: what it is called, what it means, and how to ask for it."""

    key: str
    title: str
    meaning: str
    query: str


@dataclass(frozen=True)
class Mark:
    """A moment when another release began to answer."""

    at: datetime
    says: str


_ABSTAINED = 'sum by (release) (increase(nexus_answers_total{outcome="abstained"}[10m]))'
_ANSWERS = "sum by (release) (increase(nexus_answers_total[10m]))"
_VOTES = "max by (release, rating) (nexus_feedback_recent)"  # every replica of trainer says the same
_DOWN = 'max by (release, rating) (nexus_feedback_recent{rating="down"})'
QUESTIONS = (
    Question(
        "down-votes",
        "Down votes",
        "Of the votes of the last while, the share that was down.",
        f"sum by (release) ({_DOWN}) / sum by (release) ({_VOTES})",
    ),
    Question(
        "refusals",
        "Refusals",
        "The share of questions answered with “the documents do not say”.",
        f"({_ABSTAINED} or 0 * {_ANSWERS}) / {_ANSWERS}",
    ),
    Question(
        "groundedness",
        "Groundedness",
        "The share of an answer's words that stand in what it cites. More is better.",
        "sum by (release) (rate(nexus_groundedness_sum[10m])) / sum by (release) (rate(nexus_groundedness_count[10m]))",
    ),
)


def step_of(span: timedelta) -> timedelta:
    """How far apart the points of a chart are."""
    return span / POINTS


def marks(releases: Iterable[Release]) -> list[Mark]:
    """When which release began to answer, from the releases' histories. The first release has none of its own: it
    answers again when a champion retires and nobody is promoted at that moment."""
    changes = [(release.id, change) for release in releases for change in release.history]
    promoted = [Mark(change.at, f"{short(name)} answers") for name, change in changes if change.after == "champion"]
    moments = {mark.at for mark in promoted}
    retired = [change.at for _, change in changes if (change.before, change.after) == ("champion", "retired")]
    back = [Mark(at, "the first release answers again") for at in retired if at not in moments]
    return sorted([*promoted, *back], key=lambda mark: mark.at)


def chart(
    series: Sequence[Series], seen: Sequence[Mark], *, start: datetime, end: datetime, step: timedelta
) -> dict[str, Any]:
    """A Vega-Lite line for each release, and a rule wherever another one began to answer."""
    names = sorted({_release(one) for one in series})
    x = {
        "field": "at",
        "type": "temporal",
        "title": "Time (UTC)",
        "scale": {"type": "utc", "domain": [_stamp(start), _stamp(end)]},
        "axis": {"format": "%H:%M", "grid": False, "labelFlush": False},
    }
    y = {"field": "share", "type": "quantitative", "title": None, "scale": {"domain": [0, 1]}, "axis": {"format": "%"}}
    release = {"field": "release", "type": "nominal", "title": None}
    legend = {"orient": "bottom", "symbolType": "stroke", "symbolSize": 400}
    color = {**release, "scale": {"domain": names, "range": COLORS}, "legend": legend}
    dashes = {**release, "scale": {"domain": names, "range": DASHES}, "legend": legend}
    figures = {"data": {"values": [row for one in series for row in _rows(one, step)]}}
    rules = [{"at": _stamp(mark.at), "text": mark.says} for mark in seen if start <= mark.at <= end]
    changes = {"data": {"values": rules}}
    return {
        "height": 260,
        "layer": [
            {
                **figures,
                "mark": {"type": "line", "strokeWidth": 2},
                "encoding": {"x": x, "y": y, "color": color, "strokeDash": dashes},
            },
            {
                **figures,
                "transform": [{"filter": "datum.alone"}],
                "mark": {"type": "point", "filled": True, "size": 25},
                "encoding": {"x": x, "y": y, "color": color},
            },
            {**changes, "mark": {"type": "rule", "strokeDash": [4, 4], "color": GRAY}, "encoding": {"x": x}},
            {
                **changes,
                "mark": {"type": "text", "baseline": "bottom", "color": GRAY},
                "encoding": {"x": x, "y": {"value": -3}, "text": {"field": "text"}},
            },
        ],
    }


def spoken(question: Question, series: Sequence[Series]) -> str:
    """The chart in words: where each release stood last."""
    last = [f"{_release(one)} {percent(one.points[-1][1])}" for one in series if one.points]
    return f"{question.title} by release over time. At the end: {', '.join(last)}."


def _release(series: Series) -> str:
    return short(series.labels.get("release", ""))


def _rows(series: Series, step: timedelta) -> list[dict[str, Any]]:
    """The points, with an empty one wherever some are missing, so that no line is drawn across."""
    rows: list[dict[str, Any]] = []
    name, times = _release(series), [at for at, _ in series.points]
    gaps = [True, *(after - before > 1.5 * step for before, after in pairwise(times)), True]
    for (at, share), missing_before, missing_after in zip(series.points, gaps[:-1], gaps[1:], strict=True):
        if missing_before and rows:
            rows.append({"at": _stamp(at - step), "share": None, "release": name, "alone": False})
        alone = missing_before and missing_after
        rows.append({"at": _stamp(at), "share": round(share, 4), "release": name, "alone": alone})
    return rows


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
