"""What is measured against what, and how it is shown. Pure but for the printing and the writing."""

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

    @property
    def verdict(self) -> str:
        """The same in a word."""
        return {True: "reached", False: "missed", None: ""}[self.reached]

    @property
    def shown_goal(self) -> str:
        """The goal as a person reads it."""
        return "" if self.goal is None else f"{'≥' if self.more_is_better else '≤'} {self.goal:g}"


def show(figures: Sequence[Figure], console: Console) -> None:
    """The table."""
    table = Table(title="Measured", title_justify="left")
    for heading in ("", "figure", "goal", "measured", "verdict"):
        table.add_column(heading, justify="right" if heading in ("measured", "goal") else "left")
    colours = {"reached": "green", "missed": "red", "": "default"}
    group = ""
    for figure in figures:
        first = figure.group if figure.group != group else ""
        if first:
            table.add_section()
        verdict = f"[{colours[figure.verdict]}]{figure.verdict}[/]"
        table.add_row(first, figure.name, figure.shown_goal, f"{figure.value:,.4g} {figure.unit}", verdict)
        group = figure.group
    console.print(table)


def write(figures: Sequence[Figure], machine: Mapping[str, Any], file: Path) -> None:
    """The same as JSON."""
    file.parent.mkdir(parents=True, exist_ok=True)
    rows = [{**asdict(figure), "reached": figure.reached} for figure in figures]
    file.write_text(json.dumps({"machine": dict(machine), "figures": rows}, indent=1, ensure_ascii=False) + "\n")
