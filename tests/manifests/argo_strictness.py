"""What is given has to be what is known, no less and no more: a key that a reader of workflows overlooks is a promise
that no test has kept."""

from collections.abc import Mapping
from typing import Any

from tests.manifests.argo_expressions import Unsupported
from tests.manifests.argo_templates import Manifest


def given_to(inputs: Manifest, parameters: Mapping[str, str], what: str) -> dict[str, str]:
    """Values for the declared parameters; none may be missing, and none too many."""
    declared = {one["name"]: one for one in inputs.get("parameters", [])}
    for one in declared.values():
        only({"name", "value", "description"}, one, f"a parameter of {what}")
    if unknown := parameters.keys() - declared.keys():
        raise Unsupported(f"parameters that {what} does not have: {', '.join(sorted(unknown))}")
    values = {name: parameters.get(name, one.get("value")) for name, one in declared.items()}
    if missing := [name for name, value in values.items() if value is None]:
        raise Unsupported(f"{what} without its parameters {', '.join(missing)}")
    if braced := [name for name, value in values.items() if "{{" in str(value)]:
        raise Unsupported(f"braces in {', '.join(braced)} of {what}: Argo would read them as references")
    return {name: str(value) for name, value in values.items()}


def backoff_seconds(backoff: Manifest, attempt: int) -> float:
    """How long to wait after so many attempts."""
    only({"duration", "factor", "cap", "maxDuration"}, backoff, "backoff")
    seconds = _seconds(backoff.get("duration", "0s")) * float(backoff.get("factor", 1)) ** (attempt - 1)
    return min(seconds, _seconds(backoff["cap"])) if "cap" in backoff else seconds


def _seconds(text: str) -> float:
    unit = {"s": 1, "m": 60, "h": 3600}
    if text[-1] not in unit:
        raise Unsupported(f"the duration {text!r}")
    return float(text[:-1]) * unit[text[-1]]


def only(known: set[str], given: Mapping[str, Any], what: str) -> None:
    """Raises Unsupported for keys that are not known."""
    if unknown := given.keys() - known:
        raise Unsupported(f"{', '.join(sorted(unknown))} in {what}")
