"""What the pages need of the gateway and of Prometheus. The real clients and the tests' fakes both satisfy it."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from ui.improvement import Automation, IncidentPage, Release, ReleasePage, Run, RunPage
from ui.models import (
    AnswerEvent,
    Content,
    DeadLetter,
    Document,
    DocumentPage,
    Hit,
    KnowledgeBase,
    Rating,
    StackState,
)


class Gateway(Protocol):
    """The gateway's API as far as the chatbot uses it. Every method may raise a `GatewayError`."""

    def ask(
        self, question: str, *, knowledge_base: str, conversation_id: str | None
    ) -> Generator[AnswerEvent, None, None]:
        """A streamed answer. Closing the generator cancels the answer all the way down."""

    def search(self, query: str, *, knowledge_base: str, top_k: int) -> Sequence[Hit]:
        """The passages nearest to `query`, best first."""

    def vote(
        self, answer_id: str, rating: Rating, *, comment: str | None = None, correction: str | None = None
    ) -> None:
        """Keep a vote on an answer; a second replaces the first."""

    def knowledge_bases(self) -> Sequence[KnowledgeBase]:
        """Those that hold documents."""

    def documents(self, knowledge_base: str, *, prefix: str = "", cursor: str | None = None) -> DocumentPage:
        """A page of documents in the order of their keys."""

    def document(self, key: str, *, knowledge_base: str) -> Document:
        """Where one document stands."""

    def content(self, key: str, *, knowledge_base: str) -> Content:
        """The bytes of a document as they were put in."""

    def upload(self, key: str, data: bytes, *, knowledge_base: str, media_type: str) -> None:
        """Put a document in, or replace it. Indexing goes on afterwards."""

    def delete(self, key: str, *, knowledge_base: str) -> None:
        """Take a document out."""

    def status(self) -> StackState:
        """How every part of the stack is."""

    def dead_letters(self) -> Sequence[DeadLetter]:
        """What failed three times."""

    def replay(self, letter_id: str) -> None:
        """Try a failed document once more."""


class Improvement(Protocol):
    """The gateway's API for operators. Every method may raise a `GatewayError`; `limit` is at most 1000."""

    def runs(self, *, limit: int) -> RunPage:
        """The newest runs, each with its stages."""

    def run(self, run_id: str) -> Run:
        """One run with the gate's verdict."""

    def run_log(self, run_id: str, *, stage: str | None = None) -> str:
        """The end of what a run or one stage of it has written, while it is being written too."""

    def start_run(self, reason: str | None) -> Run:
        """Start a run; raises `InTheWay` while one is under way."""

    def releases(self, *, limit: int) -> ReleasePage:
        """The newest releases."""

    def release(self, release_id: str) -> Release:
        """One release with its parts and its history."""

    def promote(self, release_id: str, reason: str | None) -> Release:
        """Make a release answer from now on; raises `InTheWay` when it cannot."""

    def roll_back(self, reason: str | None) -> Release:
        """Withdraw the challenger or, without one, go back to the release before. Returns what answers then."""

    def incidents(self, *, limit: int) -> IncidentPage:
        """The newest incidents and what was done about them."""

    def automation(self) -> Automation:
        """How the switch for automatic runs stands."""

    def set_automation(self, *, paused: bool, reason: str | None) -> Automation:
        """Pause automatic runs, or go on with them."""


@dataclass(frozen=True)
class Series:
    """One line of a chart: its labels, and its values in the order of time."""

    labels: Mapping[str, str]
    points: tuple[tuple[datetime, float], ...]


class Figures(Protocol):
    """Figures over time. May raise `FiguresAway`."""

    def over_time(self, query: str, *, start: datetime, end: datetime, step: timedelta) -> Sequence[Series]:
        """What `query` gave at every `step` from `start` to `end`; what was no number is left out."""
