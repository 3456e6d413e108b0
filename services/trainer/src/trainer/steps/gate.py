"""gate: whether the candidate may serve, with the numbers behind it."""

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from trainer.improvement.evaluating import report
from trainer.improvement.gate import Report, Verdict, judge
from trainer.improvement.runs import Run
from trainer.steps.evaluations import GOLD, HOPELESS, SPECIFIC, answers, broken, digest_of, said_to, subjects_of
from trainer.steps.tools import Done, Say, Tools
from trainer.steps.workspace import Workspace, write_json


def gate(tools: Tools, run: Run, work: Workspace, say: Say) -> Done:
    """The run ends here when the candidate is refused."""
    known = answers(tools, work)
    verdict = judge(
        _report(work, "champion", known), _report(work, "candidate", known), subjects_of(work), tools.limits
    )
    body = as_json(verdict)
    write_json(work.verdict, body)
    tools.runs.keep_verdict(run.id, body)
    for check in verdict.checks:
        say(f"{'passed' if check.passed else 'FAILED'}  {check.says}")
    if verdict.promotes:
        return Done("The candidate passes.")
    return Done("Refused: " + " · ".join(verdict.reasons), "rejected")


def as_json(verdict: Verdict) -> dict[str, Any]:
    """The verdict for files and the API; what is no number is null."""
    body = asdict(verdict)
    body["checks"] = [{name: _finite(value) for name, value in check.items()} for check in body["checks"]]
    return body


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _report(work: Workspace, who: str, known: Mapping[str, bool]) -> Report:
    if why := broken(work, who):
        return Report(digest_of(work, who), {}, [], why)
    specific, gold, hopeless = (said_to(work, name, who) for name in (SPECIFIC, GOLD, HOPELESS))
    return report(digest_of(work, who), specific, gold, hopeless, known)
