"""The small expressions in workflows (`when`, `depends`, `retryStrategy.expression`), as far as ours go: comparisons of
numbers and quoted words, joined by && and ||. Anything else is refused rather than guessed at."""

import ast
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any


class Unsupported(Exception):
    """Something that this reading of workflows does not know; ignoring it would prove nothing."""


_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Gt: operator.gt,
    ast.Lt: operator.lt,
    ast.GtE: operator.ge,
    ast.LtE: operator.le,
    ast.In: lambda item, items: item in items,
}
_QUOTED = re.compile(r"('[^']*')")
_RESULT = re.compile(r"([a-z0-9][a-z0-9-]*)(?:\.([A-Z][A-Za-z]*))?")
RESULTS = ("Succeeded", "Failed", "Errored", "Skipped", "Omitted")


def holds(expression: str, names: Mapping[str, Any] | None = None) -> bool:
    """Whether an expression is true; `names` are its variables, such as `lastRetry.exitCode`."""
    parts = _QUOTED.split(expression)
    spelt = "".join(
        part if part.startswith("'") else part.replace("&&", " and ").replace("||", " or ") for part in parts
    )
    try:
        tree = ast.parse(spelt.strip(), mode="eval").body
    except SyntaxError as exc:
        raise Unsupported(f"the expression {expression!r}") from exc
    value = _value(tree, names or {}, expression)
    if not isinstance(value, bool):
        raise Unsupported(f"the expression {expression!r}, which is neither true nor false")
    return value


def needed_by(depends: str) -> set[str]:
    """The tasks that `depends` speaks of."""
    return {found.group(1) for found in _RESULT.finditer(depends)}


def is_met(depends: str, results: Mapping[str, str]) -> bool:
    """Whether tasks ended as `depends` wants; by its bare name, that one succeeded or was skipped."""

    def told(found: re.Match[str]) -> str:
        task, result = found.groups()
        if task not in results or (result is not None and result not in RESULTS):
            raise Unsupported(f"{found.group(0)!r} in depends: {depends!r}")
        wanted = (result,) if result else ("Succeeded", "Skipped")
        return f"1 == {1 if results[task] in wanted else 0}"

    return holds(_RESULT.sub(told, depends))


def _value(tree: ast.expr, names: Mapping[str, Any], whole: str) -> Any:
    match tree:
        case ast.Constant(value=str() | int() as value):
            return value
        case ast.List(elts=items):
            return [_value(item, names, whole) for item in items]
        case ast.Attribute() | ast.Name():
            name = ast.unparse(tree)
            if name in names:
                return names[name]
        case ast.BoolOp(op=joined, values=parts):
            values = [_value(part, names, whole) for part in parts]
            return all(values) if isinstance(joined, ast.And) else any(values)
        case ast.Compare(left=left, ops=[comparison], comparators=[right]) if type(comparison) in _COMPARISONS:
            return _COMPARISONS[type(comparison)](_value(left, names, whole), _value(right, names, whole))
        case _:
            pass
    raise Unsupported(f"{ast.unparse(tree)!r} in the expression {whole!r}")
