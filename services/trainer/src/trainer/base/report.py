"""A training as one page: figures, and pictures of the loss, of abstention and of calibration."""

import base64
import html
import io
import json
from pathlib import Path
from typing import Any

from trainer.base.calibration import Outcome, Sureness, calibration_bins
from trainer.base.training import HISTORY

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1c2430; }
table { border-collapse: collapse; margin: 1rem 0 } td, th { padding: .3rem .8rem; border-bottom: 1px solid #d8dee6;
text-align: right } td:first-child, th:first-child { text-align: left } img { max-width: 100% } h2 { margin-top: 2rem }
"""


def write_report(folder: Path, figures: dict[str, Any]) -> None:
    """Write `report.html` with everything in it, pictures too."""
    chosen = figures["calibration"]["chosen"]
    sections = [
        "<h1>Training of the extractive reader</h1>",
        _table("Question sets", ("set", "EM", "F1", "questions"), _scores(figures)),
        _table(
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
        _picture(_loss, folder / HISTORY),
        "<h2>Abstention: precision against recall</h2>",
        _picture(_abstention, figures),
        "<h2>Calibration: how sure an answer is, and how often such answers are right</h2>",
        _picture(_calibration, figures["calibration"]),
        _table(
            "Rows",
            ("source", "rows", "without an answer"),
            [(name, str(one["rows"]), str(one["without an answer"])) for name, one in figures.get("rows", {}).items()],
        ),
    ]
    page = (
        f"<!doctype html><meta charset=utf-8><title>Reader training</title><style>{_STYLE}</style>{''.join(sections)}"
    )
    (folder / "report.html").write_text(page)


def _scores(figures: dict[str, Any]) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name, measured in figures.items():
        for what, score in measured.items() if isinstance(measured, dict) else ():
            if isinstance(score, dict) and "exact" in score:
                found.append(
                    (f"{name}, {what}", f"{score['exact']:.1f}", f"{score['f1']:.1f}", str(score["questions"]))
                )
    return found


def _table(title: str, head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    def line(tag: str, cells: tuple[str, ...]) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    return f"<h2>{title}</h2><table>{line('th', head)}{''.join(line('td', row) for row in rows)}</table>"


def _picture(draw: Any, *given: Any) -> str:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 4), layout="constrained")
    draw(axes, *given)
    axes.grid(alpha=0.3)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=110)
    pyplot.close(figure)
    return f'<img alt="" src="data:image/png;base64,{base64.b64encode(drawn.getvalue()).decode()}">'


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
