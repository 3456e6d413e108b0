"""Champion and candidate asked through rag, where they differ in settings alone: both have the same reader, and what is
found, what the reader is told and what may be said of it are each release's own."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nexus_serving.engines.contract import ReaderFailed
from opskit.contracts.reader import Passage
from opskit.contracts.releases import ReleaseBundle
from opskit.contracts.trials import Trial
from opskit.identity import DEFAULT_KNOWLEDGE_BASE

from trainer.improvement.evaluating import Heard, Question, Said, as_json, in_turns, scored
from trainer.ports import Answers
from trainer.steps.tools import Say, StageFailed, Tools
from trainer.steps.workspace import Workspace, read_json

Place = tuple[str, str]
"""Tenant and knowledge base."""
_NOWHERE: Place = ("default", DEFAULT_KNOWLEDGE_BASE)
"""Where passages are handed in, nothing is searched."""


class Asked:
    """A release and what it said."""

    def __init__(self, answers: Answers, bundle: ReleaseBundle) -> None:
        self._answers, self.bundle = answers, bundle
        self.said: list[Said] = []
        self.broken = ""

    def ask(self, question: Question, place: Place, *, searched: bool) -> None:
        """Put one more question to it, unless it failed one before."""
        if self.broken:
            return
        tenant, knowledge_base = place
        trial = Trial(
            release=self.bundle,
            question=question.question,
            knowledge_base=knowledge_base,
            passages=None if searched else _numbered(question),
        )
        try:
            answer = self._answers.tried(tenant, trial)
        except ReaderFailed as exc:
            self.said, self.broken = [], str(exc)[:500]
            return
        heard = Heard(
            answer=answer.answer,
            short=answer.short,
            abstained=answer.abstained,
            cited=" ".join(one.quote for one in answer.citations),
            shown=" ".join(one.text for one in answer.passages),
            confidence=answer.confidence or 0.0,
            seconds=answer.seconds,
        )
        self.said.append(scored(question, heard))

    def as_json(self) -> dict[str, Any]:
        """For the evaluation's file. The release's id is the digest of all that it is made of."""
        return {"digest": self.bundle.release, "said": as_json(self.said), "broken": self.broken}


def tried_by_both(
    tools: Tools, work: Workspace, questions: Sequence[Question], say: Say, *, searched: bool
) -> dict[str, Any]:
    """What both say to the questions: from passages that each finds itself, or from those that the questions have."""
    champion, candidate = (
        Asked(tools.answers, ReleaseBundle.model_validate(read_json(path))) for path in (work.champion, work.proposal)
    )
    places = _places(tools, questions, say) if searched else {one.id: _NOWHERE for one in questions}
    alike = not searched and champion.bundle.settings["prompt"] == candidate.bundle.settings["prompt"]
    _ask([champion] if alike else [champion, candidate], questions, places, say, searched=searched)
    if champion.broken:
        raise StageFailed(
            f"The champion, {champion.bundle.release}, cannot be asked, and it is what serves: {champion.broken}"
        )
    if alike:
        say("Both are given the same passages and told the same: they were asked once")
        candidate.said = champion.said
    return {"champion": champion.as_json(), "candidate": candidate.as_json()}


def _ask(
    releases: Sequence[Asked], questions: Sequence[Question], places: Mapping[str, Place], say: Say, *, searched: bool
) -> None:
    def asking(release: Asked) -> Callable[[Question], None]:
        return lambda question: release.ask(question, places[question.id], searched=searched)

    in_turns([asking(release) for release in releases], [one for one in questions if one.id in places], say)


def _places(tools: Tools, questions: Sequence[Question], say: Say) -> dict[str, Place]:
    """Where each question was asked. It is read from the votes again, because a run's folder, which MLflow gets, names
    nobody."""
    wanted = {one.id for one in questions}
    votes = (kept for kept in tools.feedback.every() if kept.id in wanted)
    places = {kept.id: (kept.vote.answer.tenant, kept.vote.answer.knowledge_base) for kept in votes}
    if gone := wanted - places.keys():
        say(f"left out: {len(gone)} questions whose votes were taken back or forgotten meanwhile")
    return places


def _numbered(question: Question) -> list[Passage]:
    return [
        Passage(number=number, document=one.document, title=one.title, heading=one.heading, text=one.text)
        for number, one in enumerate(question.passages, start=1)
    ]
