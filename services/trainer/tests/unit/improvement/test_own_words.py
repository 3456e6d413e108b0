"""Telling a team's own words from everybody's."""

from hypothesis import given
from hypothesis import strategies as st
from trainer.improvement.own_words import own_tokens

WORDS = {0: "the", 1: "stint", 2: "##fol", 3: "1974", 4: "hours"}
texts = st.lists(st.lists(st.sampled_from(sorted(WORDS)), max_size=6), max_size=8)


def test_what_general_text_hardly_says_is_their_own():
    assert own_tokens([[0, 1], [1, 2], [1, 0, 4]], [[0, 4], [0, 4], [1]], WORDS) == [1]


def test_what_they_say_but_once_or_twice_is_nothing_to_learn_from():
    assert own_tokens([[2], [2]], [], WORDS) == []


def test_said_often_in_one_text_is_said_once():
    assert own_tokens([[2, 2, 2, 2]], [], WORDS) == []


def test_numbers_are_nobodys_own():
    assert own_tokens([[3], [3], [3]], [], WORDS) == []


@given(texts, texts)
def test_more_general_text_never_makes_a_word_their_own(ours, general):
    assert set(own_tokens(ours, [*general, *ours], WORDS)) <= set(own_tokens(ours, general, WORDS))
