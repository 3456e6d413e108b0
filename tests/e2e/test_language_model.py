"""A stack whose reader is a language model: the tiny one, from `make up` to the answer."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.clients import Nexus
from tests.e2e.stack import Stack, free_offset, only_without_containers, start_stack

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

OTTER = "The weight of the Otter is 43 grams."


@pytest.fixture(scope="module")
def llama_stack(tiny_model: Path) -> Iterator[Stack]:
    only_without_containers("its model is a file of this machine, which containers do not see")
    yield from start_stack(NEXUS_MODEL=str(tiny_model))


@pytest.fixture(scope="module")
def nexus(llama_stack: Stack) -> Iterator[Nexus]:
    with Nexus(llama_stack.url, llama_stack.key) as client:
        client.add("otter.md", f"{OTTER} Otters like fish.")
        yield client


def test_an_answer_is_written_word_by_word_and_cites_the_document(nexus: Nexus):
    heard = nexus.stream("What is the weight of the Otter?")
    assert len([piece for piece in heard.pieces if piece]) > 5
    assert heard.answer.text == f"{OTTER} [1]"
    (citation,) = heard.answer.citations
    assert (citation["document"], citation["quote"]) == ("otter.md", OTTER)
    assert heard.answer.body["usage"]["completion_tokens"] > 5


def test_what_no_document_says_is_marked_and_taken_back(nexus: Nexus):
    answer = nexus.ask("What is the weight of the Ibex?")
    assert answer.abstained
    assert "[unsupported]" in answer.text
    assert answer.citations == []


def test_the_model_may_say_that_it_does_not_know(nexus: Nexus):
    answer = nexus.ask("What is the weight of the Teapot?")
    assert answer.abstained
    assert answer.text == "The documents I can search do not say."


def test_a_question_too_long_for_the_model_is_the_callers_to_shorten(nexus: Nexus):
    refused = nexus.chat("What is the weight of the Otter? " + "q7 " * 2500)
    assert refused.status_code == 400
    assert "ask a shorter question" in refused.json()["error"]["message"]


def test_a_broken_model_is_refused_in_one_line_and_what_runs_goes_on(
    llama_stack: Stack, nexus: Nexus, tiny_model: Path, tmp_path: Path
):
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(tiny_model.read_bytes()[:200_000])
    elsewhere = {"NEXUS_STATE_DIR": str(tmp_path / "state"), "NEXUS_PORT_OFFSET": str(free_offset())}
    refused = llama_stack.make("up", NEXUS_MODEL=str(broken), **elsewhere)
    assert refused.returncode != 0
    assert "broken.gguf is no GGUF file that can be read, or only a part of one" in refused.stderr
    again = llama_stack.make("up", NEXUS_MODEL=str(broken))
    assert "other settings" in again.stdout
    assert nexus.ask("What is the weight of the Otter?").text == f"{OTTER} [1]"
