"""Summing up what was measured."""

import pytest

from tests.load.samples import at_least, milliseconds, percentile


def test_half_of_the_values_do_not_exceed_the_median():
    assert percentile([4.0, 1.0, 3.0, 2.0], 0.5) == 2.0
    assert percentile([5.0, 1.0, 3.0, 2.0, 4.0], 0.5) == 3.0


def test_the_95th_percentile_of_a_hundred_leaves_five_above_it():
    assert percentile([float(n) for n in range(1, 101)], 0.95) == 95.0


def test_a_few_values_have_their_highest_as_a_high_percentile():
    assert percentile([1.0, 9.0], 0.95) == 9.0
    assert percentile([7.0], 0.5) == 7.0


def test_the_lowest_and_the_highest_are_the_ends():
    assert percentile([3.0, 1.0, 2.0], 0.0) == 1.0
    assert percentile([3.0, 1.0, 2.0], 1.0) == 3.0


def test_nothing_measured_has_no_percentile():
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_every_call_is_timed_with_its_own_argument():
    seen: list[str] = []
    times = milliseconds(seen.append, ["a", "b"])
    assert seen == ["a", "b"]
    assert len(times) == 2
    assert all(time >= 0 for time in times)


def test_few_questions_are_asked_again_and_many_all_once():
    assert at_least(["a", "b"], 5) == ["a", "b", "a", "b", "a"]
    assert at_least(["a", "b", "c"], 2) == ["a", "b", "c"]
    with pytest.raises(ValueError, match="no items"):
        at_least([], 1)
