"""What stages work with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from opskit.contracts.runs import Outcome

from trainer.gold import gold_questions
from trainer.improvement.canary import Watch
from trainer.improvement.evaluating import Question
from trainer.improvement.gate import Limits
from trainer.improvement.preparing import Rules
from trainer.ports import Answers, FeedbackStore, Readers, ReleaseStore, RunStore, Served, Tracker, TrafficFigures

Say = Callable[[str], None]


@dataclass(frozen=True)
class Canary:
    """How a release is tried under real traffic."""

    share: float = 0.1
    """Of the conversations."""
    deadline: timedelta = timedelta(hours=24)
    look_every: timedelta = timedelta(seconds=2)
    watch: Watch = field(default_factory=Watch)


@dataclass(frozen=True)
class Tools:
    """The outside as stages know it, and the settings they go by."""

    runs: RunStore
    releases: ReleaseStore
    feedback: FeedbackStore
    answers: Answers
    readers: Readers
    served: Served
    traffic: TrafficFigures
    tracker: Tracker
    git_commit: str = "unknown"
    rules: Rules = field(default_factory=Rules)
    limits: Limits = field(default_factory=Limits)
    gold: Sequence[Question] = field(default_factory=gold_questions)
    """General questions, to see that nothing is unlearnt."""
    passes: float = 5.0
    """How often each example is read in a fine-tuning."""
    most_steps: int = 400
    base_model: str = ""
    """The weights of a language model in transformers' format: folder or hub id."""
    launcher: tuple[str, ...] = ()
    """What starts the processes that tune a language model; empty to tune it in the stage's own."""
    canary: Canary = field(default_factory=Canary)


@dataclass(frozen=True)
class Done:
    """A stage is done; `outcome` when the run ends with it."""

    says: str
    outcome: Outcome | None = None


class StageFailed(Exception):
    """A stage cannot be done, now or ever; the message says why, for a person."""
