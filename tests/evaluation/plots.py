"""The figures as pictures."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any


def draw(results: Mapping[str, Mapping[str, Any]], target: Path) -> None:
    """One picture of one or several evaluations: retrieval, answers by kind, abstention, calibration."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, ((retrieval, kinds), (abstention, calibration)) = pyplot.subplots(
        2, 2, figsize=(13, 9), layout="constrained"
    )
    _bars(retrieval, "Retrieval", {name: one["retrieval"]["nexus"] for name, one in results.items()})
    says = {name: _says(one) for name, one in results.items() if "answers" in one}
    _bars(kinds, "Says the answer, by kind", says)
    for name, one in results.items():
        told = one.get("sureness") or {}
        if told:
            abstention.plot(*zip(*told["abstention curve"], strict=True), label=name)
            calibration.plot(
                [x for x, *_ in told["calibration"]], [y for _, y, _ in told["calibration"]], "o-", label=name
            )
        if "abstention" in one:
            abstention.plot(one["abstention"]["recall"], one["abstention"]["precision"], "kx")
    abstention.set(
        title="Abstention (x: as it is set)", xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02)
    )
    calibration.plot([0, 1], [0, 1], "--", color="grey")
    calibration.set(
        title="Calibration of given answers", xlabel="sureness", ylabel="share right", xlim=(0, 1), ylim=(0, 1)
    )
    for axes in (abstention, calibration):
        axes.grid(alpha=0.3)
        if axes.get_legend_handles_labels()[0]:
            axes.legend()
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, dpi=110)
    pyplot.close(figure)


def _says(result: Mapping[str, Any]) -> dict[str, Mapping[str, float]]:
    return {
        kind: figures["says the answer"] for kind, figures in result["answers"].items() if "says the answer" in figures
    }


def _bars(axes: Any, title: str, groups: Mapping[str, Mapping[str, Mapping[str, float]]]) -> None:
    """Means with their intervals, one group of bars for each name."""
    names = list(dict.fromkeys(name for group in groups.values() for name in group))
    width = 0.8 / max(1, len(groups))
    for number, (label, group) in enumerate(groups.items()):
        have = [(place, group[name]) for place, name in enumerate(names) if name in group]
        means = [one["mean"] for _, one in have]
        around = [[one["mean"] - one["low"] for _, one in have], [one["high"] - one["mean"] for _, one in have]]
        axes.bar([place + number * width for place, _ in have], means, width, yerr=around, capsize=3, label=label)
    axes.set(title=title, ylim=(0, 1))
    axes.set_xticks([place + 0.4 - width / 2 for place in range(len(names))], names, rotation=20, ha="right")
    if groups:
        axes.legend()
