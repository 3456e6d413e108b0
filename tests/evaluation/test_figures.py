"""The figures of an evaluation, and its pictures."""

from pathlib import Path

import pytest

from tests.evaluation import metrics, plots, report
from tests.evaluation.corpus import Question
from tests.evaluation.judging import Reply


def test_refusing_the_least_sure_first_trades_recall_for_precision():
    cases = [(True, 0.1), (False, 0.9), (True, 0.6), (False, 0.3)]
    assert metrics.abstention_curve(cases) == [(0.5, 1.0), (0.5, 0.5), (1.0, pytest.approx(2 / 3)), (1.0, 0.5)]


def test_sureness_is_compared_with_what_is_right():
    sure = [(0.9, True)] * 9 + [(0.9, False)] + [(0.1, False)] * 10
    assert metrics.calibration(sure) == [(pytest.approx(0.1), 0.0, 10), (pytest.approx(0.9), 0.9, 10)]
    assert metrics.calibration_error(sure) == pytest.approx(0.05)
    assert metrics.calibration_error([]) == 0


def question(number: int, *answers: str) -> Question:
    return Question(str(number), "Why?", answers, "d.md", None, "fact" if answers else "unanswerable")


QUESTIONS = [question(1, "because"), question(2, "because"), question(3)]
REPLIES = {
    "1": Reply("because", False, [], 0.1, sureness=0.9),
    "2": Reply("no idea", False, [], 0.1, sureness=0.4),
    "3": Reply("The documents do not say.", True, [], 0.1, sureness=0.2),
}


def test_a_report_says_what_sureness_is_worth():
    told = report.sureness(QUESTIONS, REPLIES)
    assert told["abstention curve"][0] == (1.0, 1.0)
    assert told["expected calibration error"] == pytest.approx((0.1 + 0.4) / 2)
    assert report.sureness(QUESTIONS, {id: Reply("x", False, [], 0.1) for id in REPLIES}) == {}


def test_evaluations_are_drawn_side_by_side(tmp_path: Path):
    ranks = {"nexus": {"1": 1, "2": None}}
    result = {
        "retrieval": report.retrieval(QUESTIONS, ranks),
        "answers": report.answers(QUESTIONS, REPLIES, {}),
        "abstention": report.abstention(QUESTIONS, REPLIES),
        "sureness": report.sureness(QUESTIONS, REPLIES),
    }
    plots.draw({"before": result, "after": {"retrieval": result["retrieval"]}}, tmp_path / "both.png")
    assert (tmp_path / "both.png").read_bytes().startswith(b"\x89PNG")
