"""Whether an expression asks for something that exists: metrics, their labels, and labels that meet in an operation."""

import re
from collections.abc import Iterator, Mapping

import promql_parser as promql

Known = Mapping[str, frozenset[str]]
"""The labels of each series that somebody exports or records."""

ADDED_BY_SCRAPING = frozenset({"job", "instance"})
SET_OPERATORS = ("and", "or", "unless")


class Mistake(AssertionError):
    """The expression is PromQL, and asks for something that never is."""


def labels_of(expr: promql.Expr, known: Known) -> frozenset[str] | None:
    """The labels that its series have; None of a number. Raises Mistake."""
    match expr:
        case promql.NumberLiteral() | promql.StringLiteral():
            return None
        case promql.VectorSelector():
            return _of_selector(expr, known)
        case promql.MatrixSelector():
            return _of_selector(expr.vector_selector, known)
        case promql.ParenExpr() | promql.SubqueryExpr() | promql.UnaryExpr():
            return labels_of(expr.expr, known)
        case promql.Call():
            return _of_call(expr, known)
        case promql.AggregateExpr():
            return _of_aggregate(expr, known)
        case promql.BinaryExpr():
            return _of_binary(expr, known)
    raise Mistake(f"unknown to this test: {expr.prettify()}")


def check(text: str, known: Known, *, legend: str = "") -> frozenset[str]:
    """The labels of an expression and that its legend names no other. Raises Mistake."""
    labels = labels_of(promql.parse(text), known) or frozenset()
    _require(re.findall(r"{{(\w+)}}", legend), labels, f"the legend of {text}")
    return labels


def selectors(text: str) -> Iterator[promql.VectorSelector]:
    """Whatever series an expression asks for."""
    found: list[promql.VectorSelector] = []

    def look(expr: promql.Expr) -> None:
        if isinstance(expr, promql.VectorSelector):
            found.append(expr)
        elif isinstance(expr, promql.MatrixSelector):
            found.append(expr.vector_selector)

    promql.walk(promql.parse(text), look)
    return iter({id(one): one for one in found}.values())


def _require(used: list[str], labels: frozenset[str], where: str) -> None:
    if strange := set(used) - labels:
        raise Mistake(f"{where}: no label {', '.join(sorted(strange))} among {', '.join(sorted(labels)) or 'none'}")


def _of_selector(selector: promql.VectorSelector, known: Known) -> frozenset[str]:
    if selector.name not in known:
        raise Mistake(f"nobody exports {selector.name}")
    labels = known[selector.name]
    if not selector.name.count(":"):
        labels |= ADDED_BY_SCRAPING
    _require([matcher.name for matcher in selector.matchers.matchers], labels, selector.name)
    return labels


def _of_call(call: promql.Call, known: Known) -> frozenset[str] | None:
    inside = [labels_of(argument, known) for argument in call.args]
    vectors = [labels for labels in inside if labels is not None]
    match call.func.name:
        case "time":
            return None
        case "vector":
            return frozenset()
        case "histogram_quantile":
            _require(["le"], vectors[0], call.prettify())
            return vectors[0] - {"le"}
        case "label_replace":
            _require([call.args[3].val], vectors[0], call.prettify())
            return vectors[0] | {call.args[1].val}
        case "rate" | "increase" | "changes" | "max_over_time" | "last_over_time":
            return vectors[0]
        case other:
            raise Mistake(f"unknown to this test: {other}()")


def _of_aggregate(aggregate: promql.AggregateExpr, known: Known) -> frozenset[str]:
    inside = labels_of(aggregate.expr, known) or frozenset()
    if aggregate.modifier is None:
        return inside if str(aggregate.op) in ("topk", "bottomk") else frozenset()
    _require(aggregate.modifier.labels, inside, aggregate.prettify())
    named = frozenset(aggregate.modifier.labels)
    return named if aggregate.modifier.type == promql.AggModifierType.By else inside - named


def _of_binary(binary: promql.BinaryExpr, known: Known) -> frozenset[str] | None:
    left, right = labels_of(binary.lhs, known), labels_of(binary.rhs, known)
    if left is None or right is None:
        return right if left is None else left
    operator, modifier = str(binary.op), binary.modifier
    if operator == "or":
        return left | right
    matching = modifier.matching if modifier else None
    if matching is None:
        if left != right:
            raise Mistake(f"never meet: {sorted(left)} {operator} {sorted(right)} in {binary.prettify()}")
        return left
    if matching.type != promql.LabelModifierType.Include:
        raise Mistake(f"unknown to this test: ignoring, in {binary.prettify()}")
    for side in (left, right):
        _require(matching.labels, side, binary.prettify())
    if operator in SET_OPERATORS:
        return left
    if modifier.card == promql.VectorMatchCardinality.OneToOne:
        return frozenset(matching.labels)
    return left | frozenset(modifier.group_labels.labels if modifier.group_labels else [])
