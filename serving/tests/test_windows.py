"""Windows over passages, with the shipped tokenizer."""

from itertools import pairwise
from pathlib import Path

import pytest
from nexus_serving.engines.windows import QUESTION_TOKENS, WINDOW, Windows
from tokenizers import Tokenizer


@pytest.fixture(scope="module")
def windows(reader_folder: Path) -> Windows:
    return Windows(Tokenizer.from_file(str(reader_folder / "tokenizer.json")))


def test_a_short_passage_is_one_window_whose_offsets_point_into_it(windows: Windows):
    text = "The default is 120 seconds."
    (window,) = windows.cut("How long?", [text], 1000)
    assert window.types == [0] * window.first + [1] * (len(window.ids) - window.first)
    assert [text[start:end] for start, end in window.offsets] == ["The", "default", "is", "120", "seconds", "."]


def test_a_long_passage_is_read_in_overlapping_windows_to_its_end(windows: Windows):
    text = "word " * 700 + "end"
    cut = windows.cut("What?", [text], 10_000)
    assert len(cut) > 2
    assert all(len(window.ids) <= WINDOW for window in cut)
    assert cut[-1].offsets[-1] == (len(text) - 3, len(text))
    assert all(after.offsets[0][0] < before.offsets[-1][1] for before, after in pairwise(cut))


def test_passages_beyond_the_budget_are_left_unread_but_the_first_is_read(windows: Windows):
    texts = ["word " * 100] * 4
    assert [window.passage for window in windows.cut("What?", texts, 250)] == [0, 1]
    assert [window.passage for window in windows.cut("What?", texts, 10)] == [0]


def test_an_endless_question_leaves_room_to_read(windows: Windows):
    (window,) = windows.cut("why " * 1000, ["Because."], 10_000)
    assert window.first == QUESTION_TOKENS + 2


def test_an_empty_passage_has_no_window(windows: Windows):
    assert windows.cut("What?", ["", "  "], 1000) == []
