"""A run told stage by stage. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Literal

from ui.improvement import Run, StageRecord
from ui.improvement_words import STAGES, stage_name
from ui.wording import duration

State = Literal["done", "running", "failed", "waiting", "left out"]
MARKS: dict[State, str] = {"done": "✓", "running": "●", "failed": "✗", "waiting": "○", "left out": "–"}


@dataclass(frozen=True)
class Step:
    """One stage as it is shown."""

    name: str
    state: State
    time: str = ""
    says: str = ""


def steps(run: Run, now: datetime) -> list[Step]:
    """Every stage in its order: those that were, and those to come or left out."""
    records = {record.stage: record for record in run.stages}
    names = [*STAGES, *(name for name in records if name not in STAGES)]
    left: State = "waiting" if run.under_way else "left out"
    return [_step(records[name], now) if name in records else Step(stage_name(name), left) for name in names]


def place(run: Run) -> str:
    """`Stage 3 of 11: Ask both models general questions`."""
    names = list(STAGES)
    if run.stage not in names:
        return "About to end" if run.stages else "About to begin"
    return f"Stage {names.index(run.stage) + 1} of {len(names)}: {stage_name(run.stage)}"


def _step(record: StageRecord, now: datetime) -> Step:
    state: State = "done" if record.status == "done" else "failed" if record.status == "failed" else "running"
    time = duration(record.seconds) if record.seconds is not None else _so_far(record, now)
    again = f", attempt {record.attempts}" if record.attempts > 1 else ""
    return Step(stage_name(record.stage), state, time + again, record.says)


def _so_far(record: StageRecord, now: datetime) -> str:
    seconds = max(0, int((now - record.started_at).total_seconds()))
    return f"{seconds} s so far" if seconds < 10 else f"{duration(seconds)} so far"


def as_html(shown: Sequence[Step]) -> str:
    """The steps as a list that says its states in words too, for whoever does not see the marks."""
    return f'<ol class="steps">{"".join(_items(shown))}</ol>'


def _items(shown: Sequence[Step]) -> Iterator[str]:
    for step in shown:
        current = ' aria-current="step"' if step.state == "running" else ""
        time = step.time or step.state
        says = f'<span class="says">{escape(step.says)}</span>' if step.says else ""
        spoken = f'<span class="unseen">{step.state}: </span>' if step.time else ""
        yield (
            f'<li class="step {step.state.replace(" ", "-")}"{current}>'
            f'<span class="mark" aria-hidden="true">{MARKS[step.state]}</span>'
            f'<span class="name">{spoken}{escape(step.name)}</span><span class="time">{escape(time)}</span>{says}</li>'
        )
