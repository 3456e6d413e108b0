"""The alerts of monitoring/rules, taken apart: what is compared with what, so that no dashboard says it again."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import promql_parser as promql
import yaml

ROOT = Path(__file__).parents[2]
RULES = ROOT / "monitoring" / "rules"
RUNBOOKS = ROOT / "docs" / "runbooks"
_SIDES = {">": "above", "<": "below", "==": "at"}
_UNITS = {"s": "second", "m": "minute", "h": "hour", "d": "day"}


@dataclass(frozen=True)
class Alert:
    """`figure` `comparison` `limit`, over at least `sample` of something and for `lasting`."""

    name: str
    labels: dict[str, str]
    figure: str
    comparison: str
    limit: str
    sample: int
    lasting: str

    @property
    def number(self) -> float:
        """The limit, where it does not depend on anything."""
        return _number(promql.parse(self.limit))

    @property
    def spoken_limit(self) -> str:
        """The limit as a reader of the page understands it."""
        if "{" in self.limit or "(" in self.limit:
            return "what the champion's figure allows"
        if "seconds" in self.figure:
            return f"{self.number:g} s"
        return f"{100 * self.number:g} %" if "ratio" in self.figure or " / " in self.figure else f"{self.number:g}"

    @property
    def condition(self) -> str:
        """When it fires, in a sentence."""
        which = f" for {self.labels['figure']}" if "figure" in self.labels else ""
        sample = f" with a sample of at least {self.sample}" if self.sample else ""
        count, unit = self.lasting[:-1], _UNITS[self.lasting[-1]]
        lasting = f"{count} {unit}" if count == "1" else f"{count} {unit}s"
        return f"{self.name} fires{which} {_SIDES[self.comparison]} {self.spoken_limit}{sample}, after {lasting}."

    @property
    def budget(self) -> float:
        """Of a limit that is so many times a share: the share."""
        product = promql.parse(self.limit)
        assert isinstance(product, promql.BinaryExpr), self.limit
        return _number(product.rhs)


@cache
def alerts() -> tuple[Alert, ...]:
    """All of them, in the order of the rules."""
    return tuple(_alerts())


def alert(name: str, **labels: str) -> Alert:
    """The one of this name with these labels."""
    (found,) = (one for one in alerts() if one.name == name and labels.items() <= one.labels.items())
    return found


def names() -> list[str]:
    """The alerts' names, each once."""
    return sorted({one.name for one in alerts()})


def _alerts() -> Iterator[Alert]:
    for file in sorted(RULES.glob("*.yml")):
        for group in yaml.safe_load(file.read_text())["groups"]:
            yield from (_alert(rule) for rule in group["rules"] if "alert" in rule)


def _alert(rule: dict[str, Any]) -> Alert:
    first, *others = _conditions(promql.parse(rule["expr"]))
    samples = [int(_number(one.rhs)) for one in others if isinstance(one, promql.BinaryExpr) and str(one.op) == ">="]
    assert isinstance(first, promql.BinaryExpr), rule["expr"]
    return Alert(
        name=rule["alert"],
        labels=rule["labels"],
        figure=_line(first.lhs),
        comparison=str(first.op),
        limit=_line(first.rhs),
        sample=max(samples, default=0),
        lasting=rule["for"],
    )


def _conditions(expr: promql.Expr) -> Iterator[promql.Expr]:
    """What is joined by `and`: the comparison first, then samples and roles."""
    if isinstance(expr, promql.BinaryExpr) and str(expr.op) == "and":
        yield from _conditions(expr.lhs)
        yield expr.rhs
    else:
        yield expr


def _line(expr: promql.Expr) -> str:
    return " ".join(expr.prettify().split()).replace("( ", "(").replace(" )", ")")


def _number(expr: promql.Expr) -> float:
    if isinstance(expr, promql.NumberLiteral):
        return float(expr.val)
    assert isinstance(expr, promql.BinaryExpr), expr.prettify()
    assert str(expr.op) == "*", expr.prettify()
    return round(_number(expr.lhs) * _number(expr.rhs), 9)  # 0.144, not 0.14400000000000002
