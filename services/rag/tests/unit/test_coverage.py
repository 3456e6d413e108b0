"""How much of a question one sentence speaks of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rag.coverage import by_coverage, coverage
from rag.ports import Found


def chunk(text, *, heading="", score=0.5, id=None):
    return Found(id or text[:20], "d.md", 1, None, "", heading, text, score)


def test_one_sentence_with_all_the_words_beats_two_that_share_them():
    together = chunk("The timeout of a hook is 300 seconds. Nothing else matters.")
    apart = chunk("A hook runs first. The timeout is short. Other things take 300 seconds.")
    first, second = coverage({"timeout", "hook"}, [together, apart])
    assert first == 1.0
    assert second < first


def test_the_heading_counts_for_each_sentence_below_it():
    named = chunk("The timeout is 300 seconds.", heading="Hooks")
    assert coverage({"timeout", "hook"}, [named, chunk("The timeout is long.")])[0] == 1.0


def test_a_term_that_every_candidate_has_tells_less_than_a_rare_one():
    common = [chunk(f"The cluster number {n}.") for n in range(9)]
    rare = chunk("A quorum.")
    *commons, of_rare = coverage({"cluster", "quorum"}, [*common, rare])
    assert of_rare > max(commons)


def test_between_equals_the_one_that_covers_more_comes_first():
    other, covers = chunk("Charts are packages."), chunk("Charts are signed with a key.")
    ranked = by_coverage([other, covers], "How are charts signed?", weight=0.5)
    assert [one.text for one in ranked] == [covers.text, other.text]


def test_without_weight_nothing_changes():
    chunks = [chunk("b", score=0.9), chunk("a", score=0.4)]
    assert by_coverage(chunks, "a?", weight=0.0) == chunks


@given(st.lists(st.tuples(st.text(max_size=60), st.floats(0, 1)), max_size=6), st.text(max_size=40), st.floats(0, 10))
def test_scores_stay_within_0_and_1_whatever_is_asked(texts, question, weight):
    chunks = [chunk(text, score=score, id=str(n)) for n, (text, score) in enumerate(texts)]
    ranked = by_coverage(chunks, question, weight=weight)
    assert {one.chunk_id for one in ranked} == {one.chunk_id for one in chunks}
    assert all(0 <= one.score <= 1 + 1e-9 for one in ranked)
    assert [one.score for one in ranked] == sorted((one.score for one in ranked), reverse=True)


@pytest.mark.parametrize("question", ["", "???", "the of and"])
def test_a_question_without_terms_keeps_the_order(question):
    chunks = [chunk("b", score=0.9), chunk("a", score=0.4)]
    assert [one.text for one in by_coverage(chunks, question, weight=0.5)] == ["b", "a"]
