"""Two rankings made one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rag.fusion import convex, rrf

LEGS = st.dictionaries(st.sampled_from("abcdefgh"), st.floats(-50, 50, allow_nan=False), max_size=8)


def fused(dense, lexical, weight=0.5, floor=0.2):
    return convex(dense, lexical, dense_weight=weight, floor=floor)


def test_the_best_of_both_legs_is_first_with_the_full_score():
    assert fused({"a": 0.9, "b": 0.1}, {"a": 12.0, "c": 3.0})["a"] == pytest.approx(1.0)


def test_scores_of_different_scales_count_by_their_weight():
    ranked = fused({"meant": 0.9, "other": 0.1}, {"said": 40.0, "other": 2.0}, weight=0.8)
    assert ranked["meant"] == pytest.approx(0.8)
    assert ranked["said"] == pytest.approx(0.2)


def test_a_clear_winner_of_one_leg_beats_a_middling_one_of_both():
    dense = {"winner": 0.95, "middling": 0.4, "last": 0.3}
    lexical = {"other": 9.0, "middling": 3.0, "last": 2.5}
    assert next(iter(fused(dense, lexical, weight=0.6))) == "winner"
    assert next(iter(rrf(dense, lexical))) == "middling"  # which is what ranks alone make of it


def test_the_last_of_a_leg_is_better_than_one_that_the_leg_did_not_return():
    ranked = fused({"a": 0.9, "last": 0.1}, {"b": 9.0, "c": 1.0})
    assert ranked["last"] == pytest.approx(0.5 * 0.2)


@pytest.mark.parametrize("leg", [{"only": 7.0}, {"one": 3.0, "two": 3.0}, {"one": 0.0, "two": 0.0}])
def test_equal_scores_all_count_in_full(leg):
    assert set(fused(leg, {}).values()) == {1.0}


def test_an_empty_leg_hands_its_weight_to_the_other():
    assert fused({}, {"a": 4.0, "b": 2.0}) == fused({"a": 4.0, "b": 2.0}, {}) == {"a": 1.0, "b": 0.2}


def test_nothing_found_is_nothing():
    assert fused({}, {}) == {} == rrf({}, {})


def test_ties_are_ordered_the_same_way_whoever_came_first():
    assert list(fused({"b": 1.0, "a": 1.0}, {})) == list(fused({"a": 1.0, "b": 1.0}, {})) == ["a", "b"]


@given(LEGS, LEGS, st.floats(0, 1), st.floats(0, 0.9))
def test_scores_stay_between_0_and_1_and_best_comes_first(dense, lexical, weight, floor):
    for ranked in (fused(dense, lexical, weight, floor), rrf(dense, lexical)):
        scores = list(ranked.values())
        assert set(ranked) == {*dense, *lexical}
        assert scores == sorted(scores, reverse=True)
        assert all(0 <= score <= 1 + 1e-9 for score in scores)


@given(LEGS, st.floats(0.1, 100), st.floats(-10, 10))
def test_the_scale_of_a_leg_does_not_matter(leg, factor, offset):
    """A cosine and a BM25 score have nothing in common but their order and their gaps."""
    scaled = {id: score * factor + offset for id, score in leg.items()}
    one, other = fused(leg, {"x": 1.0}), fused(scaled, {"x": 1.0})
    assert one == pytest.approx(other, abs=1e-3) or len(set(leg.values())) != len(set(scaled.values()))
