"""Reading the data of a streamed answer."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ui.errors import Broken, GatewayError, Interrupted
from ui.models import Delta, Finished
from ui.stream import AnswerReader

CITATION = {
    "index": 1,
    "document": "a.md",
    "title": None,
    "quote": "so it is",
    "chunk_id": "c",
    "score": 0.1,
    "page": 2,
}
END = {"release": "rel_1", "abstained": False, "conversation_id": "conv_1", "timings": {"read": 0.1}}


def chunk(content: str | None = None, **more: object) -> str:
    delta = {"content": content} if content is not None else {}
    return json.dumps({"id": "ans_1", "choices": [{"index": 0, "delta": delta}], **more})


def read(*datas: str) -> list[object]:
    reader = AnswerReader()
    return [event for data in datas for event in reader.read(data)]


def test_words_come_as_they_are_and_the_end_brings_id_sources_and_release():
    *words, end = read(chunk("15 "), chunk("days."), chunk(citations=[CITATION], nexus=END), "[DONE]")
    assert words == [Delta("15 "), Delta("days.")]
    assert isinstance(end, Finished)
    assert (end.answer_id, end.release, end.conversation_id) == ("ans_1", "rel_1", "conv_1")
    assert (end.citations[0].quote, end.citations[0].page, end.citations[0].title) == ("so it is", 2, "")


def test_a_usage_chunk_without_choices_is_passed_over():
    assert read(json.dumps({"id": "ans_1", "choices": [], "usage": {"total_tokens": 3}})) == []


def test_an_error_in_the_stream_interrupts_the_answer_with_its_message():
    with pytest.raises(Interrupted, match="rag cannot be reached"):
        read(chunk("15"), json.dumps({"error": {"message": "rag cannot be reached", "type": "x"}}))


@pytest.mark.parametrize("garbled", ['{"id": "ans_1", "choi', "[1, 2]", "null", ""])
def test_a_garbled_chunk_interrupts_rather_than_leaving_a_hole(garbled):
    with pytest.raises(Interrupted):
        read(chunk("15"), garbled)


def test_sources_of_an_unknown_shape_are_an_error_and_not_silently_lost():
    with pytest.raises(Broken):
        read(chunk(citations=[{"index": "one"}]))


@given(st.text())
def test_whatever_comes_is_an_event_or_one_of_our_errors(data):
    with suppress(GatewayError):
        read(data)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: st.dictionaries(
            st.sampled_from(["choices", "delta", "content", "nexus", "citations", "id", "error"]),
            inner | st.lists(inner),
        ),
    )
)
def test_whatever_json_comes_is_an_event_or_one_of_our_errors(value):
    with suppress(GatewayError):
        read(json.dumps(value))


@pytest.mark.parametrize("choices", [5, "x", [5], [{"delta": 5}], [{"delta": {"content": 5}}], [None]])
def test_odd_choices_say_nothing(choices):
    assert read(json.dumps({"choices": choices})) == []
