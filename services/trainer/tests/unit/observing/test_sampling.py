"""Which answers are looked at more closely."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trainer.observing.sampling import Shares, lot

SHARES = st.floats(0, 1)


@given(st.text())
def test_a_lot_is_between_nothing_and_everything_and_always_the_same(answer_id):
    assert 0 <= lot(answer_id) < 1
    assert lot(answer_id) == lot(answer_id)


def test_the_lot_of_an_answer_is_the_same_on_every_machine():
    assert lot("ans_1") == pytest.approx(0.6125, abs=1e-4)


def test_a_share_is_about_so_many_answers():
    shares = Shares(traced=0.3, judged=0.0)
    assert 2800 < sum(shares.traces(f"ans_{number}") for number in range(10_000)) < 3200


def test_all_and_none_are_exact():
    assert all(Shares(1.0, 0.0).traces(f"ans_{number}") for number in range(1000))
    assert not any(Shares(0.0, 0.0).traces(f"ans_{number}") for number in range(1000))


@given(st.text(), SHARES, SHARES)
def test_what_is_judged_is_traced(make_answer, answer_id, traced, judged):
    shares = Shares(traced, judged)
    assert shares.traces(answer_id) or not shares.judges(make_answer(answer_id=answer_id))


@given(st.text(), SHARES, SHARES)
def test_a_larger_share_loses_nobody(answer_id, one, other):
    few, many = sorted((one, other))
    assert Shares(many, 0).traces(answer_id) or not Shares(few, 0).traces(answer_id)


@pytest.mark.parametrize("changes", [{"outcome": "abstained"}, {"passages": []}])
def test_what_found_nothing_or_read_nothing_is_not_judged(make_answer, changes):
    assert Shares(1.0, 1.0).judges(make_answer())
    assert not Shares(1.0, 1.0).judges(make_answer(**changes))
