"""Finding what a user's correction says in the passages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trainer.improvement.locating import located

SHEET = "The Avocet has a stint of 14 hours, and a wake of 40 seconds. Its **berth** is -20 to 50 °C."
OTHER = "The Heron has a stint of 9 hours. It was made in 14 months."
QUESTION = "How long does the battery of the Avocet last?"


def found(said: str, *passages: str, question: str = QUESTION) -> tuple[int, str] | None:
    place = located(said, question, passages)
    return place and (place.passage, passages[place.passage][place.start : place.end])


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("14 hours", "14 hours"),
        ("14 Hours.", "14 hours"),
        ("No, it is 14 hours!", "14 hours"),
        ("The correct answer is 14 hours", "14 hours"),
        ("The battery of the Avocet lasts 14 hours", "14 hours"),
        ("-20 to 50 °C", "-20 to 50 °C"),
    ],
)
def test_a_correction_in_ones_own_words_is_found(said, answer):
    assert found(said, OTHER, SHEET) == (1, answer)


def test_the_first_of_equal_places_that_hold_all_of_it_is_taken():
    assert found("9 hours", SHEET, OTHER) == (1, "9 hours")


@pytest.mark.parametrize("said", ["", "?!", "twelve days", "The Kestrel", "no, that is wrong"])
def test_what_stands_nowhere_is_not_found(said):
    assert found(said, SHEET, OTHER) is None


def test_words_of_the_question_are_no_news():
    assert found("the battery of the Avocet", "Batteries: see the battery of the Avocet.") == (
        0,
        "the battery of the Avocet",
    ), "all of what was said is there, so it is what was meant"
    assert found("It is the Avocet, surely", "Ask about the Avocet.") is None


@given(st.text(max_size=60), st.lists(st.text(max_size=80), max_size=3))
def test_whatever_is_found_is_a_range_of_its_passage(said, passages):
    place = located(said, "q", passages)
    if place is not None:
        assert 0 <= place.start < place.end <= len(passages[place.passage])


@given(st.lists(st.sampled_from("alpha beta gamma delta 14 hours".split()), min_size=1, max_size=8), st.data())
def test_words_taken_from_a_passage_are_found_whole(words, data):
    start = data.draw(st.integers(0, len(words) - 1))
    end = data.draw(st.integers(start + 1, len(words)))
    said, passage = " ".join(words[start:end]), " ".join(words)
    place = located(said, "what?", [passage])
    assert place is not None
    assert passage[place.start : place.end] == said
