"""Where sentences end."""

import itertools

import hypothesis.strategies as st
import pytest
from hypothesis import given
from ingest.sentences import sentence_spans


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("See e.g. Helm v3.2.1 for it. Then go on.", ["See e.g. Helm v3.2.1 for it.", "Then go on."]),
        ("Mr. J. Smith came. He left.", ["Mr. J. Smith came.", "He left."]),
        ('He said "stop." Then he went.', ['He said "stop."', "Then he went."]),
        ("Use `a.b`. `C` is next.", ["Use `a.b`.", "`C` is next."]),
        ("It ends here.\n- an item", ["It ends here.", "- an item"]),
        ("これは文です。次の文です。", ["これは文です。", "次の文です。"]),
        ("wait... what", ["wait... what"]),
        ("", []),
    ],
)
def test_sentences_end_where_a_reader_would_say(text, expected):
    assert sentences(text) == expected


@given(st.text())
def test_sentences_lose_no_word_and_keep_their_order(text):
    spans = list(sentence_spans(text))
    assert all(start < end for start, end in spans)
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(spans))
    assert "".join("".join(sentences(text)).split()) == "".join(text.split())
