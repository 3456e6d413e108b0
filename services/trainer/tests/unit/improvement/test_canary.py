"""What becomes of a challenger under real traffic."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trainer.improvement.canary import Traffic, Watch, decide

WATCH = Watch()
GOOD = Traffic(answers=200, errors=1, slowest=0.3, up=18, down=2)


def course(challenger: Traffic, champion: Traffic = GOOD, *, at_deadline: bool = False) -> str:
    return decide(champion, challenger, at_deadline=at_deadline, watch=WATCH).course


def test_as_good_over_enough_answers_is_promoted():
    assert course(GOOD) == "promote"


def test_too_little_to_tell_is_watched_on():
    assert course(Traffic(answers=10, slowest=0.3)) == "wait"


def test_at_the_deadline_the_gates_word_stands():
    assert course(Traffic(answers=0), at_deadline=True) == "promote"


@pytest.mark.parametrize(
    ("challenger", "reason"),
    [
        (Traffic(answers=30, errors=10, slowest=0.3), "fails more often: 33% of its answers, against 0%"),
        (Traffic(answers=200, errors=0, slowest=2.0), "slower: its 95th percentile is 2.00 s, against 0.30 s"),
        (Traffic(answers=200, errors=0, slowest=0.3, up=4, down=16), "liked less: 80% of its votes are down"),
    ],
)
def test_clearly_worse_is_rolled_back_and_says_why(challenger, reason):
    decision = decide(GOOD, challenger, at_deadline=False, watch=WATCH)
    assert decision.course == "roll_back"
    assert reason in decision.reason


def test_one_error_in_few_answers_proves_nothing():
    assert course(Traffic(answers=6, errors=1, slowest=0.3)) == "wait"


def test_a_slow_challenger_beside_a_champion_without_traffic_is_not_blamed():
    assert course(Traffic(answers=150, slowest=9.0), Traffic(), at_deadline=True) == "promote"


shares = st.builds(
    Traffic,
    answers=st.floats(0, 1000),
    errors=st.just(0.0),
    slowest=st.none() | st.floats(0.01, 10),
    up=st.floats(0, 100),
    down=st.floats(0, 100),
)


@given(champion=shares, challenger=shares)
def test_at_the_deadline_there_is_always_a_decision(champion, challenger):
    assert decide(champion, challenger, at_deadline=True, watch=WATCH).course != "wait"


@given(champion=shares, challenger=shares)
def test_waiting_never_hides_damage(champion, challenger):
    """What is rolled back before the deadline is rolled back at it, and the other way round."""
    early, late = (decide(champion, challenger, at_deadline=at, watch=WATCH).course for at in (False, True))
    assert (early == "roll_back") == (late == "roll_back")
