"""Scripted users: they ask, judge what they are told, and correct what is wrong."""

import itertools
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import httpx

from demo.gateway import Gateway, Reply
from demo.knowledge import Question, is_right


@dataclass
class Tally:
    """What came of some questions."""

    asked: int = 0
    right: int = 0
    refused: int = 0

    @property
    def share(self) -> float:
        return self.right / self.asked if self.asked else 0.0


def ask_all(gateway: Gateway, questions: Sequence[Question]) -> Tally:
    """Ask without judging: for measuring."""
    tally = Tally()
    for question in questions:
        reply = gateway.ask(question.question)
        tally.asked += 1
        tally.right += is_right(reply.short, question.answers)
        tally.refused += reply.abstained
    return tally


def ask_and_judge(users: Sequence[Gateway], questions: Sequence[Question]) -> Tally:
    """Each question by one of the users, who votes, and says what would have been right. They vote when all have asked:
    the alert needs but a few votes, and the run learns from those that are there when it starts."""
    tally = Tally()
    replies = [
        (user, question, user.ask(question.question))
        for user, question in zip(itertools.cycle(users), questions, strict=False)
    ]
    for user, question, reply in replies:
        _judge(user, question, reply, tally)
    return tally


class Traffic:
    """Users who go on asking and judging in the background, while a release is made and tried. Use it with `with`."""

    def __init__(self, users: Sequence[Gateway], questions: Sequence[Question], *, every_seconds: float) -> None:
        self._users, self._questions, self._every = users, questions, every_seconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._go_on, daemon=True)
        self.by_release: dict[str, Tally] = {}
        self.failed: list[str] = []

    def __enter__(self) -> "Traffic":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _go_on(self) -> None:
        for user, question in zip(itertools.cycle(self._users), itertools.cycle(self._questions), strict=False):
            if self._over.wait(self._every):
                return
            try:
                reply = user.ask(question.question)
                _judge(user, question, reply, self.by_release.setdefault(reply.release, Tally()))
            except httpx.HTTPError as exc:
                self.failed.append(repr(exc))


def _judge(user: Gateway, question: Question, reply: Reply, tally: Tally) -> None:
    """The user's vote, with a correction where the answer is wrong."""
    right = is_right(reply.short, question.answers)
    user.vote(reply, "up" if right else "down", None if right else question.answers[0])
    tally.asked += 1
    tally.right += right
    tally.refused += reply.abstained
