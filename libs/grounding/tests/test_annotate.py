"""A model's words, checked as they come."""

import pytest
from grounding.annotate import Annotator, Grounded
from grounding.evidence import Evidence, Support
from hypothesis import given
from hypothesis import strategies as st

ABSTENTION = "The documents I can search do not say."
REDIS = (
    "# Redis\n\nRedis listens on port 6379 by default. You can change it with `--port`.\n\n"
    "- Set `maxmemory` to limit it."
)
OTTER = "The Otter 5 has a warranty of 24 months. It weighs 12 kg."
PIECES = ["Redis ", "port 6379", ". ", "[1]", "[", "] ", "\n", "```\n", "x ", "[9, 2]. "]
EVIDENCE = [Evidence(1, REDIS, "Redis guide"), Evidence(2, OTTER, "Otter")]


def heard(text: str, *, question: str = "What port?", size: int = 4) -> tuple[str, Grounded]:
    """What is said when the model's words come in pieces."""
    annotator = Annotator(question, EVIDENCE, ABSTENTION)
    out = "".join(annotator.feed(text[start : start + size]) for start in range(0, len(text), size))
    rest, grounded = annotator.finish()
    return out + rest, grounded


def quotes(grounded: Grounded) -> list[str]:
    texts = {one.number: one.text for one in EVIDENCE}
    return [texts[one.passage][one.start : one.end] for one in grounded.supports]


def test_a_citation_that_holds_is_said_behind_its_sentence():
    said, grounded = heard("Redis listens on port 6379 by default [1].")
    assert said == "Redis listens on port 6379 by default. [1]" == grounded.answer
    assert quotes(grounded) == ["Redis listens on port 6379 by default."]
    assert not grounded.abstained


@pytest.mark.parametrize("mark", [" [1]", " [Passage 1]", "【1】", " [1][9]", " [9, 1]", ""])
def test_however_it_is_cited_and_even_if_it_is_not_the_passage_is_named(mark: str):
    said, _ = heard(f"Redis listens on port 6379 by default{mark}.")
    assert said == "Redis listens on port 6379 by default. [1]"


def test_a_citation_of_the_wrong_passage_is_put_right():
    said, grounded = heard("The warranty of the Otter 5 is 24 months [1].")
    assert said == "The warranty of the Otter 5 is 24 months. [2]"
    assert quotes(grounded) == ["The Otter 5 has a warranty of 24 months."]


def test_what_no_passage_supports_is_marked():
    said, grounded = heard("Redis listens on port 6379. It was made by aliens in 1999 [2].")
    assert said == "Redis listens on port 6379. [1] It was made by aliens in 1999. [unsupported]"
    assert grounded.confidence == 0.5


@pytest.mark.parametrize("number", ["6380", "63790", "637"])
def test_a_number_that_is_not_there_is_not_supported(number: str):
    said, grounded = heard(f"Redis listens on port {number} by default [1].")
    assert "[unsupported]" in said
    assert grounded.abstained


def test_an_answer_of_which_nothing_holds_is_taken_back():
    said, grounded = heard("Bananas grow on trees in Iceland [1].")
    assert said == f"Bananas grow on trees in Iceland. [unsupported]\n\n{ABSTENTION}"
    assert grounded.abstained
    assert grounded.supports == ()


@pytest.mark.parametrize(
    "text", [ABSTENTION, "The documents do not mention that.", "I don't know.", "It is not stated in the passages. [1]"]
)
def test_when_the_model_says_it_does_not_know_nothing_is_added(text: str):
    said, grounded = heard(text)
    assert said == text.removesuffix(" [1]")
    assert grounded.abstained


def test_a_model_that_says_nothing_abstains():
    assert heard("")[0] == ABSTENTION
    assert heard("  \n ")[1].abstained


def test_a_short_answer_is_checked_where_it_cites():
    said, grounded = heard("6379 [1]")
    assert (said, grounded.abstained) == ("6379 [1]", False)
    assert heard("6380 [1]")[1].abstained


def test_the_items_of_a_list_are_checked_one_by_one():
    said, _ = heard("Do this:\n1. Set `maxmemory` to limit it [1].\n2. Sacrifice a goat at midnight.\n")
    assert said.startswith(
        "Do this:\n1. Set `maxmemory` to limit it. [1]\n2. Sacrifice a goat at midnight. [unsupported]"
    )


def test_code_is_one_statement_and_marked_below_it():
    said, _ = heard("Run:\n```\nrm -rf everything-there\n./go.sh\n```\nRedis listens on port 6379 by default.")
    assert "./go.sh\n```\n[unsupported]\nRedis" in said


def test_abbreviations_and_decimals_end_no_sentence():
    said, _ = heard("Redis, e.g. version 7.2, listens on port 6379 by default.")
    assert said.count("[") == 1


def test_words_are_not_kept_waiting():
    annotator = Annotator("What port?", EVIDENCE, ABSTENTION)
    assert annotator.feed("Redis listens") == "Redis listens"
    assert annotator.feed(" on port") == " on port"
    assert annotator.feed(" 6379 [") == " 6379"
    assert annotator.feed("1") == ""
    assert annotator.feed("].") == "."
    assert annotator.feed(" You") == " [1] You"


@given(st.lists(st.sampled_from(PIECES), max_size=20), st.integers(1, 9))
def test_however_the_words_are_cut_the_same_is_said(parts: list[str], size: int):
    text = "".join(parts)
    whole, grounded = heard(text, size=10_000)
    assert heard(text, size=size) == (whole, grounded)
    assert whole == grounded.answer


@given(st.text(max_size=80))
def test_whatever_a_model_says_supports_are_ranges_of_passages(text: str):
    _, grounded = heard(text)
    for one in grounded.supports:
        assert isinstance(one, Support)
        assert 0 <= one.start < one.end <= len({1: REDIS, 2: OTTER}[one.passage])
