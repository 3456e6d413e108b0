"""What a judge is asked, and who it is."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trainer.observing.judging import (
    MOST_ATTEMPTS,
    OpenAiJudge,
    about_and_text,
    case_of,
    from_line,
    next_try,
    openai_judge,
)

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_a_case_goes_over_a_pipe_and_comes_back(make_answer):
    case = case_of(make_answer())
    assert from_line(asdict(case)) == case
    assert case.contexts == ("Guide\nThe interval is 120 seconds.",)


TITLES = st.text(alphabet=st.characters(blacklist_categories=["Cs"]))


@given(TITLES, TITLES, st.text(min_size=1))
def test_title_and_text_of_a_context_are_told_apart_whatever_they_are(make_answer, title, heading, text):
    passage = {"number": 1, "document": "d", "title": title, "heading": heading, "text": text}
    about, found = about_and_text(case_of(make_answer(passages=[passage])).contexts[0])
    assert found == text
    assert about.split() == " > ".join(part for part in (title, heading) if part).split()


def test_the_judge_is_local_unless_a_server_is_named():
    assert openai_judge("local") is None
    assert openai_judge(" ") is None
    assert openai_judge("openai:http://127.0.0.1:9/v1/#m") == OpenAiJudge("http://127.0.0.1:9/v1", "m")


@pytest.mark.parametrize(
    "setting", ["gpt", "openai:", "openai:http://x", "openai:http://x#", "openai:x#m", "http://x#m"]
)
def test_what_names_no_judge_is_refused(setting):
    with pytest.raises(ValueError, match="NEXUS_JUDGE"):
        openai_judge(setting)


def test_what_fails_is_tried_later_and_later_and_then_no_more():
    waits = [next_try(attempts, NOON) for attempts in range(1, MOST_ATTEMPTS + 1)]
    assert waits[:3] == [NOON + timedelta(minutes=minutes) for minutes in (1, 2, 4)]
    assert waits[-1] is None
    assert None not in waits[:-1]
