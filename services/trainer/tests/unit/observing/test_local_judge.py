"""The judge of words and meanings, with a made-up notion of meaning."""

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trainer.observing.local_judge import LocalJudge, statements

SYNC = "FAQ > Syncing\nBy default, Argo CD checks Git repositories every 3 minutes. The interval can be changed."
HELM = "Plugins\nPlugins are installed with the command helm plugin install. Each has its own folder."
QUESTION = "How often does Argo CD check Git?"


def embed(texts):
    """Texts with the same words are near each other."""
    vectors = np.zeros((len(texts), 512), np.float32)
    for row, text in enumerate(texts):
        for word in text.lower().replace("?", "").replace(".", "").split():
            vectors[row, zlib.crc32(word.encode()) % 512] += 1
        vectors[row, 0] += 1e-3
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


JUDGE = LocalJudge(embed)


def grounded(answer, *contexts, question=QUESTION):
    return [opinion.score for _, opinion in JUDGE.groundedness(question, answer, contexts)]


def test_the_passage_that_answers_is_more_relevant_than_another():
    good, bad = JUDGE.context_relevance(QUESTION, SYNC), JUDGE.context_relevance(QUESTION, HELM)
    assert good.score > 0.6 > 0.2 > bad.score
    assert "question's words" in good.reason


def test_what_stands_in_a_passage_is_grounded_and_the_place_is_named():
    ((said, opinion),) = JUDGE.groundedness(QUESTION, "It checks Git repositories every 3 minutes. [1]", [SYNC, HELM])
    assert said == "It checks Git repositories every 3 minutes."
    assert opinion.score == 1.0
    assert opinion.reason.startswith("Passage 1: By default, Argo CD checks Git")


def test_a_number_that_no_passage_has_is_made_up():
    ((_, opinion),) = JUDGE.groundedness(QUESTION, "It checks repositories every 45 minutes.", [SYNC])
    assert opinion.score == 0.0
    assert opinion.reason == "No passage has 45."


def test_what_is_near_a_passage_but_not_in_it_is_half_grounded_at_most():
    (score,) = grounded("Elephants dance around the interval of the repositories while Git sleeps.", SYNC)
    assert 0.0 <= score <= 0.5


def test_each_statement_is_judged_for_itself():
    scores = grounded("Argo CD checks Git repositories every 3 minutes. Elephants dance in purple gardens.", SYNC)
    assert scores[0] == 1.0
    assert scores[1] < 0.5


def test_saying_that_it_is_not_known_claims_nothing_and_answers_nothing():
    assert grounded("The documents do not say how often that is done.", SYNC) == [1.0]
    assert JUDGE.answer_relevance(QUESTION, "The documents do not say how often that is done.").score == 0.0


def test_an_answer_to_the_question_is_more_relevant_than_one_to_another():
    good = JUDGE.answer_relevance(QUESTION, "Argo CD checks Git every 3 minutes. [1]")
    bad = JUDGE.answer_relevance(QUESTION, "Plugins have their own folders. [1]")
    assert good.score > 0.5 > 0.2 > bad.score


@pytest.mark.parametrize("answer", ["", "Paris.", "[1]"])
def test_an_answer_without_a_statement_is_one_statement(answer):
    assert len(statements(answer)) == 1
    assert len(grounded(answer, SYNC)) == 1


def test_without_passages_nothing_is_grounded():
    assert grounded("Argo CD checks Git repositories every 3 minutes.") == [0.0]


TEXT = st.text(max_size=200)


@given(TEXT, TEXT, st.lists(TEXT, max_size=3))
def test_every_score_is_between_0_and_1_whatever_was_said(question, answer, contexts):
    opinions = [opinion for _, opinion in JUDGE.groundedness(question, answer, contexts)]
    opinions += [JUDGE.context_relevance(question, context) for context in contexts]
    opinions.append(JUDGE.answer_relevance(question, answer))
    assert all(0.0 <= opinion.score <= 1.0 for opinion in opinions)


@given(st.lists(st.sampled_from("alpha beta gamma delta epsilon zeta eta theta".split()), min_size=4, unique=True))
def test_a_sentence_of_a_passage_is_grounded_in_it(words):
    sentence = f"{' '.join(words).capitalize()} belong together."
    assert grounded(sentence, f"About\nSomething before. {sentence} Something after.", question="?") == [1.0]


def test_the_same_is_judged_the_same():
    again = LocalJudge(embed)
    assert JUDGE.groundedness(QUESTION, "Something else.", [SYNC]) == again.groundedness(
        QUESTION, "Something else.", [SYNC]
    )
