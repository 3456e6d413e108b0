"""Sentences, also in wrapped lines."""

import pytest
from grounding.sentences import sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("It is 1.5 seconds. Then it stops.", ["It is 1.5 seconds.", "Then it stops."]),
        ("It ended with v1.8.0. Then came v2.", ["It ended with v1.8.0.", "Then came v2."]),
        ("Use e.g. Helm. Or not.", ["Use e.g. Helm.", "Or not."]),
        ("By J. Smith and others. Second.", ["By J. Smith and others.", "Second."]),
        ('He said "yes." Then left.', ['He said "yes."', "Then left."]),
        ("As in [1]. Then.", ["As in [1].", "Then."]),
        ("Set `x.y.` `z` follows.", ["Set `x.y.`", "`z` follows."]),
        ("a long line of words that is wrapped at its end\nand goes on here. Next.",
         ["a long line of words that is wrapped at its end\nand goes on here.", "Next."]),
        ("TLS\nAll communication between the parts is encrypted by default.",
         ["TLS", "All communication between the parts is encrypted by default."]),
        ("One\n\nTwo", ["One", "Two"]),
        ("> Wrapped in a quotation that is long enough to be\n> wrapped. Next.",
         ["> Wrapped in a quotation that is long enough to be\n> wrapped.", "Next."]),
        ("Do this: 1. Open. 2. Close.", ["Do this: 1. Open.", "2. Close."]),
        ("これは文です。次の文。", ["これは文です。", "次の文。"]),
        ("   ", []),
    ],
)  # fmt: skip
def test_a_text_is_cut_into_its_sentences(text: str, expected: list[str]):
    assert [text[start:end] for start, end in sentences(text)] == expected


def test_only_the_asked_stretch_is_cut():
    text = "Before. One. Two. After."
    assert [text[start:end] for start, end in sentences(text, 8, 17)] == ["One.", "Two."]
