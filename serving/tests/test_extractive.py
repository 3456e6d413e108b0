"""The shipped reader, without Triton."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nexus_serving.engines.contract import Delta, InvalidRequest, Passage, ReaderRequest, Result
from nexus_serving.engines.extractive import ExtractiveReader
from nexus_serving.engines.wording import ABSTENTION

HELM = Passage(1, "They only work with Helm v3. Helm v2 support was dropped with v1.8.0.", "Prerequisites")
SPACE = Passage(2, "The Moon orbits the Earth at a mean distance of 384,400 kilometres.", "Moon")


@pytest.fixture(scope="module")
def reader(reader_folder: Path) -> ExtractiveReader:
    return ExtractiveReader(reader_folder, workers=1)


def result(reader: ExtractiveReader, question: str, *passages: Passage, **limits) -> Result:
    *deltas, last = reader.answer(ReaderRequest(question, passages, **limits))
    assert isinstance(last, Result)
    assert "".join(delta.text for delta in deltas if isinstance(delta, Delta)) == last.answer
    return last


def test_it_answers_with_the_span_the_sentence_and_the_number(reader: ExtractiveReader):
    answer = result(reader, "In which release was Helm v2 support dropped?", SPACE, HELM)
    assert answer.answer == 'v1.8.0. "Helm v2 support was dropped with v1.8.0." [1]'
    assert answer.short == "v1.8.0"
    (support,) = answer.supports
    assert support.passage == 1
    assert HELM.text[support.start : support.end] == "Helm v2 support was dropped with v1.8.0."
    assert answer.confidence > 0.5
    assert answer.prompt_tokens > answer.completion_tokens > 0


def test_the_short_answer_comes_first_in_the_stream(reader: ExtractiveReader):
    events = list(reader.answer(ReaderRequest("How far away is the Moon?", (SPACE,))))
    assert isinstance(events[0], Delta)
    assert events[0].text == "384,400 kilometres."


def test_it_says_so_when_the_passages_do_not_hold_the_answer(reader: ExtractiveReader):
    answer = result(reader, "What is the default pipeline timeout in Spinnaker?", HELM, SPACE)
    assert answer.abstained
    assert answer.answer == ABSTENTION
    assert answer.supports == ()


def test_without_passages_it_abstains(reader: ExtractiveReader):
    assert result(reader, "What?").abstained


def test_the_caller_may_set_how_sure_it_must_be(reader: ExtractiveReader):
    question = "In which release was Helm v2 support dropped?"
    assert result(reader, question, HELM, abstain_below=1000.0).abstained
    assert not result(reader, "Who won?", HELM, abstain_below=-1000.0).abstained


def test_a_cancelled_request_is_not_read(reader: ExtractiveReader):
    assert list(reader.answer(ReaderRequest("What?", (HELM,)), lambda: True)) == []


def test_an_answer_keeps_to_its_token_limit_and_still_cites(reader: ExtractiveReader):
    steps = Passage(4, "To add a cluster:\n\n" + "\n".join(f"{n}. Do step {n} of it." for n in range(1, 12)))
    answer = result(reader, "How do I add a cluster?", steps, max_answer_tokens=30)
    assert answer.answer.endswith("[4]")
    assert "Do step 11" not in answer.answer


@given(st.text(max_size=60), st.lists(st.text(max_size=200), max_size=3))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_breaks_it_and_supports_stay_inside(reader: ExtractiveReader, question: str, texts: list[str]):
    passages = tuple(Passage(number, text) for number, text in enumerate(texts, 1))
    answer = result(reader, question, *passages, abstain_below=-1000.0)
    for support in answer.supports:
        assert 0 <= support.start < support.end <= len(texts[support.passage - 1])


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"{}", b'{"question": "x"}', b'{"question": "x", "passages": [{}]}', b"\xff"]
)
def test_what_is_no_request_is_refused(raw: bytes):
    with pytest.raises(InvalidRequest):
        ReaderRequest.parse(raw)


def test_passages_are_scored_by_whether_they_answer(reader: ExtractiveReader):
    empty = Passage(3, "")
    request = ReaderRequest("In which release was Helm v2 support dropped?", (SPACE, HELM, empty))
    space, helm, nothing = reader.scores(request)
    assert helm > space > nothing
