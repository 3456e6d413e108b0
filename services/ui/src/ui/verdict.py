"""The gate's verdict as a table and a chart. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ui.improvement import Check, Verdict
from ui.improvement_words import FIGURES, percent
from ui.tables import Cell, table

MINUS = "\u2212"
PASSED, FAILED = "#2f8f6b", "#c2504b"
GRAY = "#8a8578"
"""Seen on a light and on a dark page."""
HEADS = ("Figure", "Before", "Now", "Change, in points", "Allowed?")
NOTE = (
    "Both models were asked the same questions. The change is for the better when it is above zero; in brackets the "
    "range that holds the true change 95 times in 100, because another draw of questions would give another change."
)


@dataclass(frozen=True)
class Row:
    """One figure as it is shown."""

    title: str
    before: str
    now: str
    change: str
    allowed: str
    passed: bool


def headline(verdict: Verdict) -> str:
    """What was decided, in a sentence."""
    failed = sum(not check.passed for check in verdict.checks)
    if verdict.decision == "promote":
        return "It may answer people: every figure is as it has to be."
    if not failed:
        return f"It may not answer people. {' '.join(verdict.reasons)}".strip()
    those = "is not as it has to be" if failed == 1 else "are not as they have to be"
    return f"It may not answer people: {failed} of {len(verdict.checks)} figures {those}."


def rows(verdict: Verdict) -> list[Row]:
    """Every figure the gate looked at."""
    return [
        Row(
            title=FIGURES.get(check.name, check.name),
            before=_value(check, check.champion),
            now=_value(check, check.candidate),
            change=_change(check),
            allowed=f"{'✓ yes' if check.passed else '✗ no'}: {_rule(check)}",
            passed=check.passed,
        )
        for check in verdict.checks
    ]


def as_html(shown: Sequence[Row]) -> str:
    """The rows as a table."""
    cells: list[list[str | Cell]] = [
        [row.title, row.before, row.now, row.change, Cell(row.allowed, "passed" if row.passed else "failed")]
        for row in shown
    ]
    return table("What the model scored before and now, figure by figure", HEADS, cells)


def chart(verdict: Verdict) -> dict[str, Any] | None:
    """A Vega-Lite chart of the differences, a dot and its interval each; None where there is none to draw."""
    values = [
        {
            "figure": FIGURES.get(check.name, check.name),
            "difference": check.difference * 100,
            "low": check.low * 100,
            "high": check.high * 100,
            "allowed": "allowed" if check.passed else "not allowed",
        }
        for check in verdict.checks
        if check.difference is not None and check.low is not None and check.high is not None
    ]
    if not values:
        return None
    # Each name stands above its line: beside it, long names would leave no room for the lines on a phone.
    above = {"labelAlign": "left", "labelBaseline": "bottom", "labelOffset": -7, "labelPadding": 0, "labelLimit": 330}
    axis = {**above, "ticks": False, "domain": False}
    y = {"field": "figure", "type": "nominal", "sort": None, "title": None, "axis": axis}
    scale = {"domain": ["allowed", "not allowed"], "range": [PASSED, FAILED]}
    color = {"field": "allowed", "type": "nominal", "scale": scale, "title": None, "legend": {"orient": "bottom"}}
    shape = {"field": "allowed", "type": "nominal", "scale": {**scale, "range": ["circle", "cross"]}, "title": None}
    low, high = ({"field": name, "type": "quantitative"} for name in ("low", "high"))
    dot = {"field": "difference", "type": "quantitative", "title": "Change for the better, in points"}
    return {
        "data": {"values": values},
        "height": {"step": 42},
        "layer": [
            {
                "mark": {"type": "rule", "strokeDash": [3, 3], "color": GRAY},
                "encoding": {"x": {"datum": 0, "type": "quantitative"}},
            },
            {"mark": {"type": "rule", "strokeWidth": 2}, "encoding": {"y": y, "x": low, "x2": high, "color": color}},
            {
                "mark": {"type": "point", "filled": True, "size": 90, "opacity": 1},
                "encoding": {"y": y, "x": dot, "color": color, "shape": shape},
            },
        ],
    }


def spoken(shown: Sequence[Row]) -> str:
    """The chart in words."""
    return "Change of each figure. " + "; ".join(f"{row.title}: {row.change}, {row.allowed[2:]}" for row in shown)


def _in_seconds(check: Check) -> bool:
    return check.name.startswith("seconds")


def _value(check: Check, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.2f}\u00a0s" if _in_seconds(check) else percent(value)


def _change(check: Check) -> str:
    if _in_seconds(check) and check.champion and check.candidate is not None:
        return f"{check.candidate / check.champion:.2f} times as long"
    if check.difference is None or _in_seconds(check):
        return "–"
    if check.low is None or check.high is None:
        return _points(check.difference)
    return f"{_points(check.difference)} ({_points(check.low)} to {_points(check.high)})"


def _points(share: float) -> str:
    return f"{share * 100:+.1f}".replace("-", MINUS)


def _rule(check: Check) -> str:
    """What the figure was held to, which is how its sentence ends."""
    rule = check.says.rpartition("; ")[2]
    return rule.removeprefix(f"{check.name}: ") or f"{check.questions} questions"
