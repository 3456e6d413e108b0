"""Cheap scores."""

import pytest
from rag.citations import check
from rag.prompt import numbered
from rag.scoring import score


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
