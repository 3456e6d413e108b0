"""A figure knows whether it reached its goal."""

import io
import json

import pytest
from rich.console import Console

from tests.load.figures import Figure, show, write


@pytest.mark.parametrize(
    ("value", "more_is_better", "verdict"),
    [(30.0, False, "reached"), (30.1, False, "missed"), (30.0, True, "reached"), (29.9, True, "missed")],
)
def test_a_goal_is_reached_up_to_the_line_and_missed_beyond(value, more_is_better, verdict):
    assert Figure("search", "p50", value, "ms", 30, more_is_better).verdict == verdict


def test_a_figure_without_a_goal_has_no_verdict():
    figure = Figure("search", "floor", 3.0, "ms")
    assert figure.reached is None
    assert figure.verdict == ""
    assert figure.shown_goal == ""


def test_nothing_is_a_goal_that_can_be_missed():
    assert Figure("documents", "embeddings", 1, "", goal=0).verdict == "missed"
    assert Figure("documents", "embeddings", 0, "", goal=0).verdict == "reached"


def test_the_table_shows_goal_measured_and_verdict_of_each():
    page = Console(file=io.StringIO(), width=120, color_system=None)
    show(
        [Figure("answers", "a second", 7.5, "/s", 6, more_is_better=True), Figure("search", "p50", 37, "ms", 30)], page
    )
    lines = page.file.getvalue().splitlines()
    assert any(all(part in line for part in ("a second", "≥ 6", "7.5 /s", "reached")) for line in lines)
    assert any(all(part in line for part in ("p50", "≤ 30", "37 ms", "missed")) for line in lines)


def test_the_file_holds_the_machine_and_every_verdict(tmp_path):
    file = tmp_path / "new" / "bench.json"
    write([Figure("search", "p50", 37, "ms", 30)], {"cores": 2}, file)
    written = json.loads(file.read_text())
    assert written["machine"] == {"cores": 2}
    assert written["figures"][0]["reached"] is False
