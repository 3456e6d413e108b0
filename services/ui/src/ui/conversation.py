"""A conversation as it is shown: questions and answers in their order. Knows nothing of Streamlit or HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal

from ui.models import Citation, Finished, Rating
from ui.wording import Trouble

TurnState = Literal["asking", "answered", "abstained", "stopped", "failed"]
_numbers = count(1)


@dataclass
class Turn:
    """One question and what came of it."""

    question: str
    number: int = field(default_factory=lambda: next(_numbers))
    state: TurnState = "asking"
    text: str = ""
    answer_id: str = ""
    citations: tuple[Citation, ...] = ()
    release: str = ""
    timings: Mapping[str, Any] = field(default_factory=dict)
    first_words_seconds: float | None = None
    seconds: float | None = None
    trouble: Trouble | None = None
    rating: Rating | None = None
    remark_sent: bool = False
    passages: dict[int, str] = field(default_factory=dict)

    def hear(self, text: str, *, after: float) -> None:
        """More of the answer has come, `after` seconds from the question."""
        if self.first_words_seconds is None:
            self.first_words_seconds = after
        self.text += text

    def finish(self, end: Finished, *, after: float) -> None:
        """The answer is whole."""
        self.state = "abstained" if end.abstained else "answered"
        self.answer_id, self.citations, self.release = end.answer_id, end.citations, end.release
        self.timings, self.seconds = end.timings, after

    def fail(self, trouble: Trouble) -> None:
        """The answer did not come."""
        self.state, self.trouble = "failed", trouble

    def stop(self) -> None:
        """The visitor has heard enough. What has come stays."""
        if self.state == "asking":
            self.state = "stopped"


@dataclass
class Conversation:
    """Turns in their order, and the id under which the gateway remembers them."""

    id: str | None = None
    turns: list[Turn] = field(default_factory=list)

    def ask(self, question: str) -> Turn:
        """Add a question that waits for its answer."""
        turn = Turn(question)
        self.turns.append(turn)
        return turn

    def ask_again(self, number: int) -> None:
        """Ask a question that failed or was stopped once more, in its place."""
        self.turns = [Turn(turn.question) if turn.number == number else turn for turn in self.turns]

    def turn(self, number: int) -> Turn | None:
        """The turn of that number, unless the conversation is over."""
        return next((turn for turn in self.turns if turn.number == number), None)
