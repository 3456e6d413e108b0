"""A tuned reader answers neither more nor less boldly than the champion."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nexus_serving.reader_model import Calibration
from trainer.improvement.caution import as_cautious

scores = st.lists(st.integers(-20_000, 20_000), min_size=2, max_size=30, unique=True).map(
    lambda whole: [one / 1000 for one in whole]
)


def refused(values, calibration):
    return sum(value < calibration.threshold for value in values)


@given(scores, st.floats(-10, 10), st.data())
def test_as_many_are_refused_as_before(before, threshold, data):
    now = [one / 100 for one in data.draw(st.permutations(range(len(before))))]
    calibration = Calibration(threshold, 0.4, 1.0)
    assert refused(now, as_cautious(before, calibration, now)) == refused(before, calibration)


def test_where_scores_rose_by_two_so_does_the_threshold_and_an_answer_is_as_sure_as_before():
    before = [-3.0, -1.0, 1.0, 3.0]
    moved = as_cautious(before, Calibration(0.0, 0.5, 0.25), [one + 2 for one in before])
    assert moved.threshold == pytest.approx(2.0)
    assert moved.slope * 5.0 + moved.bias == pytest.approx(0.5 * 3.0 + 0.25)
