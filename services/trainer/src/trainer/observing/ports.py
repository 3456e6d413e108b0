"""What observing needs of the outside, as small as it gets."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from opskit.contracts.answers import AnswerRecord

from trainer.feedback import KeptVote
from trainer.observing.assessments import Assessment
from trainer.observing.judging import Case, Judgement, Verdict
from trainer.observing.traces import Trace


class Refused(Exception):
    """The other side is there and does not take this one; asking again may not help."""


class TraceMissing(Exception):
    """The trace that an assessment is about is not there."""


@dataclass(frozen=True, slots=True)
class Page:
    """Answers that were kept one after the other. Those that cannot be read are left out and counted."""

    answers: Sequence[AnswerRecord]
    unreadable: int
    cursor: str
    more: bool
    """There may be others behind them already."""


class KeptAnswers(Protocol):
    """rag's log of answers. Raises Unavailable."""

    def after(self, cursor: str | None, *, limit: int) -> Page:
        """The next ones; from the beginning without a cursor."""


class Traces(Protocol):
    """Where traces are shown. Raises Unavailable or Refused."""

    def keep(self, traces: Sequence[Trace]) -> None:
        """Keep them, in place of earlier ones of the same answers."""

    def assess(self, trace_id: str, assessments: Sequence[Assessment]) -> None:
        """Put opinions beside a trace, in place of earlier ones with the same key. Raises TraceMissing."""

    def forget(self, *, before: datetime) -> int:
        """Forget traces of answers that were given before then, or some of them; says how many."""


class Judge(Protocol):
    """Judges answers somewhere else, while its caller goes on."""

    name: str

    def room(self) -> int:
        """How many cases it takes now."""

    def judge(self, case: Case) -> None:
        """Begin with a case."""

    def verdicts(self) -> list[Verdict]:
        """What it came to since it was last asked."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far answers were observed."""

    cursor: str | None
    caught_up_at: datetime
    """When there was last nothing left to observe."""


class ObservationStore(Protocol):
    """What was observed. Blocking; every method raises Unavailable."""

    def progress(self, *, now: datetime) -> Progress:
        """How far it came; where nothing was ever observed it was caught up `now`."""

    def advance(
        self, progress: Progress, *, traced: Mapping[str, str], to_judge: Collection[AnswerRecord], now: datetime
    ) -> None:
        """Answers up to the cursor are done: traces by answer, and those that wait for their judge."""

    def trace_of(self, answer_id: str) -> str | None:
        """The trace of an answer, if it has one."""

    def traced(self, answer_id: str, trace_id: str, *, now: datetime) -> None:
        """An answer has a trace."""

    def votes(self, *, limit: int) -> list[KeptVote]:
        """Votes that were given or changed since they were last observed, the oldest first."""

    def vote_observed(self, vote: KeptVote) -> None:
        """This vote was dealt with. One that has changed meanwhile is still to be observed."""

    def take_to_judge(self, *, limit: int, now: datetime, until: datetime) -> list[AnswerRecord]:
        """Answers whose turn it is; nobody else gets them before `until`."""

    def judged(self, verdict: Verdict, judge: str, *, now: datetime) -> Judgement | None:
        """A judge came to a verdict; None when nobody waited for it."""

    def not_judged(self, verdict: Verdict, *, now: datetime) -> bool:
        """A judge failed; whether it is given up now, or tried again later."""

    def to_show(self, *, limit: int) -> list[tuple[AnswerRecord, Judgement]]:
        """Judgements that do not stand at their traces yet."""

    def shown(self, answer_id: str) -> None:
        """A judgement stands at its trace; the answer itself is needed no more."""

    def waiting(self) -> int:
        """How many answers wait for their judge."""

    def forget(self, *, before: datetime) -> int:
        """Forget what was observed before then; says of how many answers."""
