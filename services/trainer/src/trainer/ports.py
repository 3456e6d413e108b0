"""What the routes need of the outside, as small as it gets."""

from datetime import datetime
from typing import Protocol

from trainer.feedback import KeptVote, Page, Receipt, SeenRelease, Vote


class FeedbackStore(Protocol):
    """Where votes are kept. Blocking: call it off the event loop. Every method raises Unavailable."""

    def keep(self, vote: Vote, *, now: datetime) -> Receipt:
        """Keep the vote, in place of an earlier one of the same key on the same answer. Durable when this returns."""

    def votes(self, tenant: str, *, limit: int, before: int | None) -> Page[KeptVote]:
        """A page of the tenant's votes."""

    def releases(self, *, limit: int, before: int | None) -> Page[SeenRelease]:
        """A page of the releases that feedback spoke of."""

    def release(self, release_id: str) -> SeenRelease | None:
        """One of them."""

    def release_ids(self) -> list[str]:
        """All of them, by id."""

    def expire(self, *, before: datetime) -> int:
        """Forget votes last given before then; says how many. Releases stay."""

    def check(self) -> None:
        """Return when the store answers."""
