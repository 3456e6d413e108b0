"""When virtual users say that an environment works."""

import pytest

from tests.smoke.users import Limits, Load, shortfalls

LIMITS = Limits(failed_share=0.01, slowest=5.0)


def test_quick_answers_and_few_failures_are_fine():
    assert shortfalls(Load([0.2] * 199, ["503"]), LIMITS) == []


@pytest.mark.parametrize(
    ("load", "says"),
    [
        (Load([0.2] * 90, ["500 broken"] * 10), "10 of 100 questions failed: 500 broken"),
        (Load([0.2] * 90 + [9.0] * 10, []), "95 % of the answers take up to 9.00 s, and not 5 s"),
        (Load([], ["refused"]), "no question was answered: refused"),
        (Load([], []), "none was asked"),
    ],
)
def test_what_falls_short_is_said(load, says):
    assert any(says in problem for problem in shortfalls(load, LIMITS))


def test_one_slow_answer_in_twenty_is_no_percentile():
    assert Load([0.1] * 20 + [7.0], []).p95 == 0.1
