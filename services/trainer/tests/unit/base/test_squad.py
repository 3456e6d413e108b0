"""The measures of SQuAD."""

import json
import lzma
from pathlib import Path

import pytest
from trainer.base.rows import UnreadableData
from trainer.base.squad import Asked, exact_match, f1, read_set


@pytest.mark.parametrize(
    ("said", "answers", "exact", "overlap"),
    [
        ("The Eiffel Tower!", ["eiffel tower"], 1, 1),
        ("in 1973", ["October 1973", "1973"], 0, 2 / 3),
        ("", [], 1, 1),
        ("something", [], 0, 0),
        ("", ["1973"], 0, 0),
        ("the", ["1973"], 0, 0),
        ("a b b c", ["b c d"], 0, 2 * 2 / (3 + 3)),
    ],
)
def test_answers_are_compared_as_squad_does(said: str, answers: list[str], exact: float, overlap: float):
    assert exact_match(said, answers) == exact
    assert f1(said, answers) == pytest.approx(overlap)


@pytest.mark.parametrize("suffix", [".json", ".json.xz"])
def test_a_set_is_read(tmp_path: Path, suffix: str):
    path = tmp_path / f"set{suffix}"
    questions = [{"q": "When?", "a": ["1973"]}, {"q": "Why?", "a": []}]
    body = json.dumps([{"title": "T", "ctx": "It began in 1973.", "qas": questions}])
    path.write_bytes(lzma.compress(body.encode()) if suffix.endswith("xz") else body.encode())
    assert read_set(path) == [Asked("When?", "It began in 1973.", ("1973",)), Asked("Why?", "It began in 1973.", ())]


@pytest.mark.parametrize("body", ["", '[{"ctx": "x"}]', "[1]"])
def test_what_is_no_set_is_named(tmp_path: Path, body: str):
    (tmp_path / "set.json").write_text(body)
    with pytest.raises(UnreadableData, match=r"set\.json is no set"):
        read_set(tmp_path / "set.json")
