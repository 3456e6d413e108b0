"""What the routes need of the outside, as small as it gets."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from alert_bridge.incidents import Episode, Incident, Page, Verdict

Decide = Callable[[Episode, Incident | None], Verdict]


class IncidentStore(Protocol):
    """Where incidents are kept. Blocking: call it off the event loop. Every method raises Unavailable."""

    def record(self, episodes: Sequence[Episode], decide: Decide, *, now: datetime) -> list[Incident]:
        """Decide on each episode in turn and keep it: all or none, and one caller at a time, so that each decision
        knows of those before it. Durable when this returns. Gives the incidents whose decision is new."""

    def page(self, *, limit: int, before: int | None) -> Page:
        """Some incidents, the newest first."""

    def check(self) -> None:
        """Return when the store answers."""
