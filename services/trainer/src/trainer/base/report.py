"""A training as one page: figures, and pictures of the loss, of abstention and of calibration."""

import json
from pathlib import Path
from typing import Any

from trainer.base.calibration import Outcome, Sureness, calibration_bins
from trainer.base.training import HISTORY
from trainer.report_page import picture, table, write_page


def write_report(folder: Path, figures: dict[str, Any]) -> None:
    """Write `report.html` with everything in it, pictures too."""
    chosen = figures["calibration"]["chosen"]
    sections = [
        table("Question sets", ("set", "EM", "F1", "questions"), _scores(figures)),
        table(
            "Abstention on the calibration split",
            ("threshold", "refused rightly", "refused wrongly", "precision", "expected calibration error"),
            [
                (
                    f"{chosen['threshold']:.2f}",
                    *(f"{100 * chosen[name]:.1f} %" for name in ("refused_rightly", "refused_wrongly", "precision")),
                    f"{100 * figures['calibration']['expected_calibration_error']:.1f} %",
                )
            ],
        ),
        "<h2>Loss</h2>",
        picture("Loss by step", _loss, folder / HISTORY),
        "<h2>Abstention: precision against recall</h2>",
        picture("Precision and recall of refusing", _abstention, figures),
        "<h2>Calibration: how sure an answer is, and how often such answers are right</h2>",
        picture("Calibration", _calibration, figures["calibration"]),
        table(
            "Rows",
            ("source", "rows", "without an answer"),
            [(name, str(one["rows"]), str(one["without an answer"])) for name, one in figures.get("rows", {}).items()],
        ),
    ]
    write_page(folder / "report.html", "Training of the extractive reader", sections)


def _scores(figures: dict[str, Any]) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name, measured in figures.items():
        for what, score in measured.items() if isinstance(measured, dict) else ():
            if isinstance(score, dict) and "exact" in score:
                found.append(
                    (f"{name}, {what}", f"{score['exact']:.1f}", f"{score['f1']:.1f}", str(score["questions"]))
                )
    return found


def _loss(axes: Any, history: Path) -> None:
    steps = [json.loads(line) for line in history.read_text().splitlines()]
    axes.plot([one["step"] for one in steps], [one["loss"] for one in steps])
    axes.set(xlabel="step", ylabel="loss per question (running mean)", yscale="log")


def _abstention(axes: Any, figures: dict[str, Any]) -> None:
    for name, measured in figures.items():
        points = measured.get("curve") if isinstance(measured, dict) else None
        if points:
            axes.plot([one["refused_rightly"] for one in points], [one["precision"] for one in points], label=name)
    axes.set(xlabel="recall: refused, of those without an answer", ylabel="precision", xlim=(0, 1), ylim=(0, 1))
    axes.legend()


def _calibration(axes: Any, calibration: dict[str, Any]) -> None:
    outcomes = [Outcome(*one) for one in calibration["outcomes"]]
    bins = calibration_bins(outcomes, Sureness(calibration["slope"], calibration["bias"]))
    axes.plot([0, 1], [0, 1], "--", color="grey")
    axes.scatter([one[0] for one in bins], [one[1] for one in bins], s=[10 + one[2] for one in bins])
    axes.set(xlabel="said probability of being right", ylabel="share that is right", xlim=(0, 1), ylim=(0, 1))
