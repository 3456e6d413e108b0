"""What is quoted around an answer."""

import pytest
from grounding.blocks import Kind, blocks
from grounding.units import LONGEST, Unit, cell_of, unit_of


def unit_around(text: str, answer: str) -> tuple[Unit, str]:
    start = text.index(answer)
    unit = unit_of(text, blocks(text), start, start + len(answer))
    return unit, text[unit.start : unit.end]


@pytest.mark.parametrize(
    ("text", "answer", "quote"),
    [
        ("First. The default is 30. Last.", "30", "The default is 30."),
        ("- one\n- the limit is 5\n- three", "5", "the limit is 5"),
        ("| flag | 5 |\n| other | 6 |", "6", "| other | 6 |"),
        ("```\na: 1\n  b: 2\n```", "2", "b: 2"),
        ("The token is signed. It expires after 24 hours.", "24 hours",
         "The token is signed. It expires after 24 hours."),
        ("replacing characters that are not allowed there\nwith hyphens and cut at 253 characters. Next.",
         "253 characters", "replacing characters that are not allowed there\nwith hyphens and cut at 253 characters."),
    ],
)  # fmt: skip
def test_an_answer_is_quoted_with_what_holds_it(text: str, answer: str, quote: str):
    assert unit_around(text, answer)[1] == quote


def test_a_sentence_that_points_far_back_stands_alone():
    text = f"{'A very long sentence ' * 20}ends here. It expires after 24 hours."
    assert unit_around(text, "24 hours")[1] == "It expires after 24 hours."


def test_an_endless_sentence_is_cut_at_words_around_the_answer():
    text = "some words, " * 60 + "the limit is 42 today, " + "and others, " * 60
    unit, quote = unit_around(text, "42")
    assert unit.cut
    assert "the limit is 42 today" in quote
    assert len(quote) <= LONGEST
    assert text[unit.start - 1].isspace()


def test_an_answer_in_a_row_stays_in_its_cell():
    text = "| `name` | the short name | any |"
    unit = Unit(Kind.ROW, 0, len(text))
    start, end = cell_of(text, unit, text.index("short"), text.index("any"))
    assert text[start:end] == " the short name "
