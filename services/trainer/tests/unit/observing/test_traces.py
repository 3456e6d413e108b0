"""How an answer looks as a trace."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trainer.observing.pseudonyms import Pseudonyms
from trainer.observing.traces import trace_of

NAMES = Pseudonyms("a secret of some length")
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOON_NS = 1_795_176_000_000_000_000
TIMINGS = {"understand": 1.0, "retrieve": 20.0, "first_token": 60.0, "read": 70.0, "total": 92.0}
MS = 1_000_000


@pytest.fixture
def spans(make_answer):
    def of(**changes):
        trace = trace_of(make_answer(**{"timings": TIMINGS} | changes), NAMES)
        return {span.name: span for span in trace.spans}

    return of


def test_the_steps_follow_one_another_and_the_answer_ends_when_it_was_whole(spans):
    found = spans()
    assert list(found) == ["answer", "understand", "retrieve", "read"]
    whole = found["answer"]
    assert (whole.start, whole.end) == (NOON_NS - 92 * MS, NOON_NS)
    assert (found["understand"].start, found["understand"].end) == (whole.start, whole.start + MS)
    assert (found["retrieve"].start, found["retrieve"].end) == (whole.start + MS, whole.start + 21 * MS)
    assert (found["read"].start, found["read"].end) == (whole.start + 21 * MS, whole.start + 91 * MS)
    assert found["read"].events == {"first_token": whole.start + 60 * MS}


def test_the_passages_are_documents(spans):
    (document,) = spans()["retrieve"].outputs
    assert document["page_content"] == "The interval is 120 seconds."
    assert document["metadata"] == {"number": 1, "document": "guide.md", "title": "Guide", "heading": "", "page": None}


def test_question_and_answer_are_what_went_in_and_what_came_out(spans):
    whole = spans()["answer"]
    assert whole.inputs == {"question": "How long is the interval?"}
    assert whole.outputs["answer"].startswith("Two minutes.")
    assert whole.outputs["citations"][0]["quote"] == "The interval is 120 seconds."


def test_tokens_and_scores_are_told(spans):
    found = spans(
        usage={"prompt_tokens": 300, "completion_tokens": 12},
        scores={"context_relevance": 0.7, "groundedness": 1.0, "answer_relevance": 0.5},
        confidence=0.9,
    )
    usage = {"input_tokens": 300, "output_tokens": 12, "total_tokens": 312}
    assert found["read"].attributes == {"mlflow.chat.tokenUsage": usage}
    facts = found["answer"].attributes
    assert facts["nexus.scores"]["groundedness"] == 1.0
    assert facts["nexus.confidence"] == 0.9
    assert facts["nexus.timings"] == TIMINGS


def test_small_talk_has_no_reading(spans):
    found = spans(passages=[], citations=[], timings={"understand": 1.0, "read": 0.2, "total": 1.3})
    assert list(found) == ["answer", "understand"]


def test_a_search_that_found_nothing_is_shown(spans):
    found = spans(passages=[], citations=[], abstained=True, outcome="abstained")
    assert found["retrieve"].outputs == []
    assert "read" not in found


def test_an_answer_of_an_earlier_version_is_a_point_in_time(spans):
    found = spans(timings={})
    assert {(span.start, span.end) for span in found.values()} == {(NOON_NS, NOON_NS)}
    assert found["retrieve"].outputs


def test_nobody_is_named(make_answer):
    answer = make_answer(tenant="acme-corporation", knowledge_base="acme-handbook", conversation_id="conv-of-mary")
    trace = trace_of(answer, NAMES)
    said = str((trace.session, trace.tags, [(span.inputs, span.attributes) for span in trace.spans]))
    assert not any(name in said for name in ("acme-corporation", "acme-handbook", "conv-of-mary"))
    assert trace.tags["nexus.answer"] == "ans_1"
    assert trace.tags["nexus.release"] == "rel_1"


def test_the_same_answer_is_the_same_trace_and_another_is_not(make_answer):
    one, again = trace_of(make_answer(), NAMES), trace_of(make_answer(), NAMES)
    other = trace_of(make_answer(answer_id="ans_2"), NAMES)
    assert one == again
    assert one.id != other.id
    assert not {span.id for span in one.spans} & {span.id for span in other.spans}


MILLISECONDS = st.floats(0, 600_000, allow_nan=False)


@given(
    st.dictionaries(st.sampled_from(["understand", "retrieve", "first_token", "read", "total"]), MILLISECONDS),
    st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)),
)
def test_spans_lie_within_the_answer_whatever_was_measured(make_answer, timings, at):
    whole, *steps = trace_of(make_answer(timings=timings, created_at=at), NAMES).spans
    assert whole.start <= whole.end
    before = whole.start
    for step in steps:
        assert step.parent == whole.id
        assert before <= step.start <= step.end <= whole.end
        assert all(whole.start <= moment <= whole.end for moment in step.events.values())
        before = step.end
