"""The gate: whether a candidate may serve. A pure function of how champion and candidate did on the same questions.

It must win on the specific set, and may not lose beyond small margins on anything else. Differences are means over
questions that both answered, with a paired bootstrap interval (Efron & Tibshirani 1993, chapter 13; Koehn 2004 for
comparing systems on one test set).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Literal

Decision = Literal["promote", "reject"]
Direction = Literal["higher", "lower"]

RESAMPLES = 2000
SEED = 20


@dataclass(frozen=True)
class Measured:
    """One figure of one reader, question by question: `values[id]` is what it scored, 0 to 1."""

    values: Mapping[str, float]

    @property
    def mean(self) -> float:
        return sum(self.values.values()) / len(self.values) if self.values else math.nan


@dataclass(frozen=True)
class Report:
    """How one reader did. Figures are named by `Limits`; times in seconds."""

    digest: str
    figures: Mapping[str, Measured]
    seconds: Sequence[float]
    """What each answer took, in order."""
    broken: str = ""
    """Why it could not be measured at all; empty when it could."""


@dataclass(frozen=True)
class Limit:
    """What is allowed of one figure. `gain` is the least mean difference: above 0 it must win (and the lower end of the
    interval must be above 0 too), below 0 it may lose so much."""

    figure: str
    gain: float
    better: Direction = "higher"
    fewest: int = 20


@dataclass(frozen=True)
class Limits:
    """The gate's settings. All gains in shares of one."""

    figures: tuple[Limit, ...] = (
        Limit("specific", 0.02, fewest=8),
        Limit("gold", -0.02, fewest=100),
        Limit("gold, unanswerable refused", -0.05),
        Limit("gold, answerable refused", -0.05, better="lower"),
        Limit("supported by what it cites", -0.02),
        Limit("contradicts the documents", -0.02, better="lower"),
        Limit("free of personal data of its own", -0.005),
    )
    slower: float = 1.3
    """How many times as long as the champion's the 95th percentile of its answers may take."""
    worst_subject: float = -0.15
    """The least mean difference on any one subject with enough questions."""
    subject_fewest: int = 10


@dataclass(frozen=True)
class Check:
    """One reason for or against, in numbers."""

    name: str
    passed: bool
    champion: float
    candidate: float
    difference: float
    low: float
    high: float
    questions: int
    says: str


@dataclass(frozen=True)
class Verdict:
    """What the gate decided, and all it decided by."""

    decision: Decision
    checks: tuple[Check, ...]
    reasons: tuple[str, ...] = field(default=())

    @property
    def promotes(self) -> bool:
        return self.decision == "promote"


def judge(champion: Report, candidate: Report, subjects: Mapping[str, str], limits: Limits | None = None) -> Verdict:
    """The verdict. `subjects` names the subject of each question of the specific set."""
    limits = limits or Limits()
    if refusal := _unfit(champion, candidate):
        return Verdict("reject", (), (refusal,))
    checks = [_figure(champion, candidate, limit) for limit in limits.figures]
    checks += _subjects(champion, candidate, subjects, limits)
    checks.append(_latency(champion, candidate, limits))
    failed = tuple(check.says for check in checks if not check.passed)
    return Verdict("reject" if failed else "promote", tuple(checks), failed)


def interval(differences: Sequence[float], *, seed: int = SEED, resamples: int = RESAMPLES) -> tuple[float, float]:
    """The middle 95 % of the mean of resampled paired differences; (nan, nan) of nothing."""
    if not differences:
        return math.nan, math.nan
    random, count = Random(seed), len(differences)
    means = sorted(math.fsum(random.choices(differences, k=count)) / count for _ in range(resamples))
    return means[int(0.025 * resamples)], means[int(0.975 * resamples) - 1]


def _unfit(champion: Report, candidate: Report) -> str:
    """Why there is nothing to compare; empty when there is."""
    if candidate.broken:
        return f"The candidate cannot be used: {candidate.broken}"
    if champion.broken:
        return f"The champion could not be measured, so nothing shows that the candidate is better: {champion.broken}"
    if candidate.digest == champion.digest:
        return "The candidate is the champion itself."
    for name, report in (("candidate", candidate), ("champion", champion)):
        for figure, measured in report.figures.items():
            if any(not 0 <= value <= 1 for value in measured.values.values()):  # catches NaN too
                return f"The {name}'s figure {figure!r} is not between 0 and 1 everywhere."
    return ""


def _figure(champion: Report, candidate: Report, limit: Limit) -> Check:
    ours, theirs = (report.figures.get(limit.figure, Measured({})) for report in (candidate, champion))
    if ours.values.keys() != theirs.values.keys():
        return _nothing(limit.figure, len(ours.values), "was not measured on the same questions")
    if len(ours.values) < limit.fewest:
        return _nothing(limit.figure, len(ours.values), f"needs {limit.fewest} questions, and has {len(ours.values)}")
    sign = 1 if limit.better == "higher" else -1
    differences = [sign * (ours.values[key] - theirs.values[key]) for key in sorted(ours.values)]
    mean, (low, high) = math.fsum(differences) / len(differences), interval(differences)
    passed = mean >= limit.gain and (limit.gain <= 0 or low > 0)
    how = f"{theirs.mean:.1%} before, {ours.mean:.1%} now (change for the better {low:+.1%} to {high:+.1%})"
    wanted = f"must win by {limit.gain:.1%} beyond chance" if limit.gain > 0 else f"may lose {-limit.gain:.1%} at most"
    says = f"{limit.figure}: {how}; {wanted}"
    return Check(limit.figure, passed, theirs.mean, ours.mean, mean, low, high, len(differences), says)


def _nothing(name: str, questions: int, why: str) -> Check:
    return Check(name, False, math.nan, math.nan, math.nan, math.nan, math.nan, questions, f"{name}: {why}")


def _subjects(champion: Report, candidate: Report, subjects: Mapping[str, str], limits: Limits) -> list[Check]:
    """One check for the subject that lost most."""
    ours, theirs = (report.figures.get("specific", Measured({})).values for report in (candidate, champion))
    by_subject: dict[str, list[float]] = {}
    for key in ours.keys() & theirs.keys() & subjects.keys():
        by_subject.setdefault(subjects[key], []).append(ours[key] - theirs[key])
    large = {name: values for name, values in by_subject.items() if len(values) >= limits.subject_fewest}
    if not large:
        return []
    mean, name = min((math.fsum(values) / len(values), name) for name, values in large.items())
    low, high = interval(large[name])
    passed = mean >= limits.worst_subject
    says = f"worst subject, {name}: {mean:+.1%}; may lose {-limits.worst_subject:.0%} at most"
    return [Check("worst subject", passed, math.nan, math.nan, mean, low, high, len(large[name]), says)]


def _latency(champion: Report, candidate: Report, limits: Limits) -> Check:
    name = "seconds of an answer, 95th percentile"
    if not champion.seconds or not candidate.seconds:
        return _nothing(name, 0, "was not measured")
    theirs, ours = (percentile(report.seconds, 0.95) for report in (champion, candidate))
    passed = math.isfinite(ours) and ours <= limits.slower * theirs
    says = f"{name}: {theirs:.3f} before, {ours:.3f} now; may take {limits.slower:g} times as long at most"
    return Check(name, passed, theirs, ours, ours - theirs, math.nan, math.nan, len(candidate.seconds), says)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that this share of the values does not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
