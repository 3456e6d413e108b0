"""Votes and the releases they are about, as plain values."""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Literal, TypeVar

from opskit.contracts.answers import AnswerRecord

Item = TypeVar("Item")
Rating = Literal["up", "down"]


@dataclass(frozen=True)
class Vote:
    """What the holder of a key says of an answer. The answer comes whole: rag may forget its own copy."""

    tenant: str
    key_id: str
    answer: AnswerRecord
    rating: Rating
    comment: str | None
    correction: str | None


@dataclass(frozen=True)
class KeptVote:
    """A vote as it is kept. A second vote of the same key replaces the first and keeps its id and first date."""

    id: str
    vote: Vote
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class Receipt:
    """What keeping a vote did; `before` is the rating it replaced."""

    kept: KeptVote
    before: Rating | None

    @property
    def changes_the_count(self) -> bool:
        """Saying the same again is one vote still."""
        return self.before != self.kept.vote.rating


@dataclass(frozen=True)
class SeenRelease:
    """A release that feedback spoke of, and its standing votes."""

    id: str
    first_seen: datetime
    last_seen: datetime
    up: int
    down: int


@dataclass(frozen=True)
class Page(Generic[Item]):
    """Some of a list, the newest first. `end` is where the next page goes on; None on the last one."""

    items: list[Item]
    end: int | None

    @property
    def cursor(self) -> str | None:
        """`end` as callers see it."""
        return str(self.end) if self.end is not None else None
