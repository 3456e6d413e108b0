"""Votes and verdicts as opinions on a trace."""

from datetime import UTC, datetime, timedelta

import pytest
from trainer.feedback import KeptVote
from trainer.observing.assessments import of_judgement, of_vote
from trainer.observing.judging import Judgement
from trainer.observing.pseudonyms import Pseudonyms

NAMES = Pseudonyms("a secret of some length")
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def kept(vote, at=NOON):
    return KeptVote("fb_1", vote, NOON, at)


def test_a_vote_is_a_persons_rating_and_does_not_say_whose(make_vote):
    opinion = of_vote(kept(make_vote("down", key_id="key_of_mary")), NAMES)
    assert (opinion.name, opinion.value, opinion.source) == ("user_rating", "down", "HUMAN")
    assert opinion.who == NAMES.voter("acme", "key_of_mary")
    assert "mary" not in str(opinion)


@pytest.mark.parametrize(("correction", "rationale"), [("One minute.", "Correction: One minute."), (None, "")])
def test_the_reason_is_what_the_voter_wrote(make_vote, correction, rationale):
    assert of_vote(kept(make_vote(correction=correction)), NAMES).rationale == rationale


def test_a_changed_vote_is_the_same_opinion_with_another_value(make_vote):
    first = of_vote(kept(make_vote("up")), NAMES)
    second = of_vote(kept(make_vote("down"), NOON + timedelta(hours=1)), NAMES)
    assert first.key == second.key
    assert (first.value, second.value) == ("up", "down")


@pytest.mark.parametrize(("judge", "source"), [("local-1/abc", "CODE"), ("openai/gpt", "LLM_JUDGE")])
def test_a_judgement_is_three_opinions_of_code_or_of_a_model(judge, source):
    scores = {"context_relevance": 0.5, "groundedness": 1.0, "answer_relevance": 0.25}
    opinions = of_judgement(Judgement("ans_1", "rel_1", judge, scores, {"groundedness": "It says so."}, NOON))
    assert {one.name: one.value for one in opinions} == scores
    assert {one.source for one in opinions} == {source}
    assert {one.who for one in opinions} == {judge}
    assert len({one.key for one in opinions}) == 3
    assert [one.rationale for one in opinions] == ["", "It says so.", ""]
