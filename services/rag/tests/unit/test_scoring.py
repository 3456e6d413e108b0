"""Cheap scores."""

import pytest
from rag.citations import check
from rag.prompt import numbered
from rag.scoring import score, scores_of
from rag.verdict import Verdict


@pytest.fixture
def cited(world):
    chunk = world.found()
    shown = numbered([chunk], budget=2048, most=1)
    return check([world.quoting(1, world.SYNC, world.SYNC)], shown).citations, [chunk]


def test_an_answer_in_the_documents_words_is_grounded(cited):
    scores = score("How often does Argo CD check Git?", "It checks every 3 minutes. [1]", *cited)
    assert scores.groundedness == 1.0
    assert scores.answer_relevance > 0.7
    assert scores.context_relevance == pytest.approx(0.7)


def test_invented_words_cost_groundedness(cited):
    scores = score("How often?", "It checks every 3 minutes because elephants dance", *cited)
    assert scores.groundedness < 0.7


def test_without_a_measured_cosine_words_tell_how_near_the_passages_are(world):
    chunk = world.found(similarity=None)
    assert score("Argo CD interval", "x", [], [chunk]).context_relevance == 1.0
    assert score("quantum bananas", "x", [], [chunk]).context_relevance == 0.0


def test_nothing_scores_nothing_without_breaking():
    scores = score("", "", [], [])
    assert (scores.groundedness, scores.context_relevance, scores.answer_relevance) == (0.0, 0.0, 0.0)


def test_where_nothing_was_read_there_is_nothing_to_score():
    assert scores_of("Hello", Verdict("Hello!", [], abstained=False), []) is None


def test_of_an_abstention_the_context_alone_is_scored(world):
    scores = scores_of("Argo CD interval", Verdict("I cannot say.", [], abstained=True), [world.found()])
    assert scores.context_relevance == pytest.approx(0.7)
    assert (scores.groundedness, scores.answer_relevance) == (None, None)


def test_an_answer_is_scored_whole(cited):
    citations, found = cited
    verdict = Verdict("It checks every 3 minutes. [1]", citations, abstained=False)
    assert scores_of("How often?", verdict, found) == score("How often?", verdict.text, citations, found)
