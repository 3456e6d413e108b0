"""From scores to decisions."""

import math
from random import Random

import pytest
from trainer.base.calibration import (
    Outcome,
    Sureness,
    at,
    best_threshold,
    calibration_bins,
    curve,
    expected_calibration_error,
    fit_sureness,
    with_unanswerable,
)


def outcomes(*cases: tuple[float, float, bool]) -> list[Outcome]:
    return [Outcome(*case) for case in cases]


GOOD = outcomes((5, 1, True), (4, 1, True), (3, 0.5, True), (-1, 0, False), (-2, 0, False), (1, 0, False))


def test_a_threshold_refuses_what_scores_below_it():
    one = at(GOOD, 0.0)
    assert one.refused_rightly == pytest.approx(2 / 3)
    assert one.refused_wrongly == 0
    assert one.precision == 1
    assert one.worth == pytest.approx((1 + 1 + 0.5 + 2) / 6)


def test_the_best_threshold_is_worth_most():
    assert 1 < best_threshold(GOOD) <= 3


def test_it_keeps_within_what_may_be_refused_wrongly():
    """Refusing everything would be worth most here, and is not allowed."""
    hard = outcomes(*[(float(n), 0.0, False) for n in range(50)], *[(float(n) + 0.5, 0.4, True) for n in range(50)])
    assert at(hard, best_threshold(hard)).refused_wrongly > 0.5
    assert at(hard, best_threshold(hard, most_refused_wrongly=0.1)).refused_wrongly <= 0.1


def test_where_more_questions_have_no_answer_more_are_refused():
    few = outcomes(*[(float(n), 0.8, True) for n in range(40)], *[(n / 2, 0.0, False) for n in range(20, 30)])
    assert best_threshold(few, unanswerable=0.5) > best_threshold(few)
    assert at(few, 100, unanswerable=0.5).worth == 0.5


def test_of_too_many_unanswerable_ones_only_the_share_is_kept():
    kept = with_unanswerable(GOOD, 0.25)
    assert [one.answerable for one in kept] == [True, True, True, False]
    assert with_unanswerable(GOOD, 0.9) == GOOD


def test_the_curve_goes_from_answering_everything_to_answering_nothing():
    found = curve(GOOD)
    assert (found[0].refused_rightly, found[-1].refused_rightly) == (0, 1)
    assert (found[0].refused_wrongly, found[-1].refused_wrongly) == (0, 1)


def drawn(slope: float, bias: float, count: int = 3000) -> list[Outcome]:
    """Answers that are right as often as a known sureness says."""
    random = Random(1)
    scores = [random.uniform(-8, 8) for _ in range(count)]
    return [Outcome(score, float(random.random() < Sureness(slope, bias).of(score)), True) for score in scores]


def test_sureness_is_learnt_from_what_was_right():
    sureness = fit_sureness(drawn(0.6, -1.0))
    assert sureness.slope == pytest.approx(0.6, abs=0.06)
    assert sureness.bias == pytest.approx(-1.0, abs=0.15)


def test_a_fitted_sureness_is_calibrated_and_a_wrong_one_is_not():
    made = drawn(0.6, -1.0)
    assert expected_calibration_error(made, fit_sureness(made)) < 0.03
    assert expected_calibration_error(made, Sureness(0.6, 2.0)) > 0.15


def test_bins_hold_every_answer():
    made = drawn(3.0, 0.0)
    assert sum(count for *_, count in calibration_bins(made, Sureness(3.0, 0.0))) == len(made)


def test_sureness_of_any_score_is_a_probability():
    assert all(0 <= Sureness(2.0, 1.0).of(score) <= 1 for score in (-math.inf, -1e9, 0.0, 1e9))
