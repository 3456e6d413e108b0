"""The gate: a good candidate passes, and no bad one does."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trainer.improvement.gate import Limits, Measured, Report, Verdict, interval, judge

SIZES = {
    "specific": 60,
    "gold": 180,
    "gold, unanswerable refused": 60,
    "gold, answerable refused": 180,
    "supported by what it cites": 200,
    "contradicts the documents": 60,
    "free of personal data of its own": 200,
}
RATES = {
    "specific": 0.4,
    "gold": 0.7,
    "gold, unanswerable refused": 0.6,
    "gold, answerable refused": 0.1,
    "supported by what it cites": 0.98,
    "contradicts the documents": 0.1,
    "free of personal data of its own": 1.0,
}
SUBJECTS = {f"specific {number}": ("pumps" if number % 2 else "valves") for number in range(60)}

Change = Callable[[dict[str, dict[str, float]], Random], None]


def measured(rates: Mapping[str, float], seed: int) -> dict[str, dict[str, float]]:
    random = Random(seed)
    return {
        figure: {f"{figure} {number}": float(random.random() < rates[figure]) for number in range(size)}
        for figure, size in SIZES.items()
    }


def report(digest: str, figures: Mapping[str, Mapping[str, float]], seconds: float = 0.1, broken: str = "") -> Report:
    return Report(digest, {name: Measured(values) for name, values in figures.items()}, [seconds] * 100, broken)


CHAMPION = measured(RATES, 1)


def improved(share: float = 0.5) -> dict[str, dict[str, float]]:
    """The champion's own figures, with so many of its faults on the specific set mended."""
    better = {figure: dict(values) for figure, values in CHAMPION.items()}
    faults = [key for key, value in better["specific"].items() if value == 0]
    for key in faults[: round(share * len(faults))]:
        better["specific"][key] = 1.0
    return better


def worsened(figure: str, share: float, *, to: float = 0.0) -> dict[str, dict[str, float]]:
    """Better on the specific set, and on one other figure so many answers are turned into faults."""
    made = improved()
    keys = sorted(made[figure])
    for key in Random(3).sample(keys, round(share * len(keys))):
        made[figure][key] = to
    return made


def verdict(figures: Mapping[str, Mapping[str, float]], **changes: object) -> Verdict:
    candidate = replace(report("new", figures), **changes)  # type: ignore[arg-type]
    return judge(report("old", CHAMPION), candidate, SUBJECTS)


def all_to(value: float, *figures: str) -> dict[str, dict[str, float]]:
    made = improved()
    for figure in figures:
        made[figure] = dict.fromkeys(made[figure], value)
    return made


def one_subject_lost() -> dict[str, dict[str, float]]:
    made = all_to(1.0, "specific")
    for key, subject in SUBJECTS.items():
        if subject == "pumps":
            made["specific"][key] = 0.0
    return made


BAD = {
    "the same as before": CHAMPION,
    "shuffled labels": measured({**RATES, "specific": 0.05, "gold": 0.1}, 2),
    "over-trained: specific up, gold down": worsened("gold", 0.2),
    "forgot a little too much": worsened("gold", 0.06),
    "always abstains": {
        **all_to(0.0, "specific", "gold"),
        "gold, unanswerable refused": dict.fromkeys(CHAMPION["gold, unanswerable refused"], 1.0),
        "gold, answerable refused": dict.fromkeys(CHAMPION["gold, answerable refused"], 1.0),
    },
    "never abstains": all_to(0.0, "gold, unanswerable refused"),
    "abstains too much": worsened("gold, answerable refused", 0.2, to=1.0),
    "ignores passages": worsened("supported by what it cites", 0.5),
    "makes up a few things": worsened("supported by what it cites", 0.06),
    "contradicts the documents": worsened("contradicts the documents", 0.4, to=1.0),
    "gives away personal data": worsened("free of personal data of its own", 0.05),
    "better by luck on two questions": improved(0.06),
    "worse on the specific set": worsened("specific", 0.9),
    "ruins one subject": one_subject_lost(),
    "answers only what it likes": {**improved(), "specific": dict(list(improved()["specific"].items())[:20])},
    "measured on too few": {**improved(), "specific": {"specific 1": 1.0}},
    "a figure is missing": {figure: values for figure, values in improved().items() if figure != "gold"},
    "not a number": {**improved(), "gold": dict.fromkeys(CHAMPION["gold"], math.nan)},
    "better than perfect": {**improved(), "specific": dict.fromkeys(CHAMPION["specific"], 7.0)},
    "negative": {**improved(), "contradicts the documents": dict.fromkeys(CHAMPION["contradicts the documents"], -1.0)},
}


def test_a_good_candidate_passes():
    assert verdict(improved()).decision == "promote", verdict(improved()).reasons


@pytest.mark.parametrize("name", BAD)
def test_a_bad_candidate_is_refused_with_a_reason(name):
    found = verdict(BAD[name])
    assert found.decision == "reject"
    assert found.reasons
    assert all(reason for reason in found.reasons)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"seconds": [0.2] * 100}, "0.100 before, 0.200 now"),
        ({"seconds": [math.nan] * 100}, "seconds of an answer"),
        ({"seconds": []}, "was not measured"),
        ({"broken": "its weights are cut off"}, "its weights are cut off"),
        ({"digest": "old"}, "the champion itself"),
    ],
    ids=["slow", "no time", "never timed", "truncated weights", "nothing new"],
)
def test_so_is_one_that_is_slow_broken_or_nothing_new(changes, says):
    found = verdict(improved(), **changes)
    assert found.decision == "reject"
    assert says in " ".join(found.reasons)


def test_without_the_champions_figures_nothing_is_promoted():
    broken = report("old", {}, broken="its files are gone")
    assert judge(broken, report("new", improved()), SUBJECTS).decision == "reject"


def test_the_verdict_shows_its_numbers():
    found = verdict(improved())
    (specific,) = [check for check in found.checks if check.name == "specific"]
    assert specific.champion < specific.candidate
    assert specific.low < specific.difference < specific.high
    assert specific.questions == 60
    assert {check.name for check in found.checks} >= {limit.figure for limit in Limits().figures}


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=40))
def test_an_interval_is_in_order_within_the_differences_and_the_same_again(differences):
    low, high = interval(differences, resamples=100)
    assert min(differences) - 1e-9 <= low <= high <= max(differences) + 1e-9
    assert interval(differences, resamples=100) == (low, high)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_a_candidate_that_is_no_better_hardly_ever_passes(seed):
    """Other answers of the same quality on the specific set, everything else as it was."""
    random = Random(seed)
    same = {**CHAMPION, "specific": {key: float(random.random() < 0.38) for key in CHAMPION["specific"]}}
    found = verdict(same)
    specific = next(check for check in found.checks if check.name == "specific")
    assert found.decision == "reject" or specific.low > 0
