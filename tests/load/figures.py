"""What is measured against what, and how it is shown. Pure but for the printing."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Figure:
    """One measured number. `goal` is the highest it may be (the lowest, where more is better); None: only shown, such
    as the cost of a layer below."""

    group: str
    name: str
    value: float
    unit: str
    goal: float | None = None
    more_is_better: bool = False

    @property
    def reached(self) -> bool | None:
        """Whether the goal was reached; None without one."""
        if self.goal is None:
            return None
        return self.value >= self.goal if self.more_is_better else self.value <= self.goal


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of them lie, the nearest that is there. Raises ValueError for nothing."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def show(figures: Sequence[Figure], console: Console) -> None:
    """The table."""
    table = Table(title="Measured", title_justify="left")
    for heading in ("", "figure", "measured", "goal", ""):
        table.add_column(heading, justify="right" if heading in ("measured", "goal") else "left")
    group = ""
    for figure in figures:
        if figure.group != group:
            table.add_section()
        verdict = {True: "[green]reached[/]", False: "[red]missed[/]", None: ""}[figure.reached]
        goal = "" if figure.goal is None else f"{'≥' if figure.more_is_better else '≤'} {figure.goal:g}"
        first = figure.group if figure.group != group else ""
        table.add_row(first, figure.name, f"{figure.value:,.4g} {figure.unit}", goal, verdict)
        group = figure.group
    console.print(table)


def write(figures: Sequence[Figure], machine: Mapping[str, Any], file: Path) -> None:
    """The same as JSON."""
    file.parent.mkdir(parents=True, exist_ok=True)
    rows = [{**asdict(figure), "reached": figure.reached} for figure in figures]
    file.write_text(json.dumps({"machine": dict(machine), "figures": rows}, indent=1, ensure_ascii=False) + "\n")
