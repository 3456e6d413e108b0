"""What the routes and the dispatcher need of the outside, as small as it gets. The stores block: call them off the
event loop. Every method raises Unavailable when what is behind it does not answer."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from opskit.contracts.runs import RunOrder, RunReport

from alert_bridge.incidents import Episode, Handled, Incident, Page, Verdict
from alert_bridge.runs import Automation, Run, Target

Decide = Callable[[Episode, Incident | None, Target], Verdict]


class IncidentStore(Protocol):
    """Where incidents are kept."""

    def record(self, episodes: Sequence[Episode], decide: Decide, *, now: datetime) -> list[Handled]:
        """Decide on each episode in turn and keep it, and with it the run that a decision starts: all or none, and one
        caller at a time, so that each decision knows of those before it. Durable when this returns."""

    def page(self, *, limit: int, before: int | None) -> Page:
        """Some incidents, the newest first."""

    def check(self) -> None:
        """Return when the store answers."""


class RunStore(Protocol):
    """What trainer tells of runs."""

    def note(self, order: RunOrder, *, now: datetime) -> Run:
        """Keep that trainer has this order. What has ended stays ended."""

    def end(self, run_id: str, report: RunReport, *, now: datetime) -> Run:
        """Keep how a run ended, whether it was known or not. The first report counts."""


class AutomationStore(Protocol):
    """Where the switch for automatic runs is kept."""

    def automation(self) -> Automation:
        """As it was set last."""

    def set_automation(self, automation: Automation) -> None:
        """Set it; who set it and when stays on record."""


class Outbox(Protocol):
    """Runs that were decided and have to be handed over."""

    def waiting(self) -> list[RunOrder]:
        """Those that nobody has yet, the oldest first."""

    def mark_ordered(self, run_id: str, *, now: datetime) -> None:
        """This one was handed over."""

    def automation(self) -> Automation:
        """Whether any may be handed over."""


class RunStarter(Protocol):
    """Who carries an order to trainer."""

    async def start(self, order: RunOrder) -> None:
        """Hand the order over; durable on the other side when this returns. Ordering the same run again is harmless."""

    async def check(self) -> None:
        """Return when an order could be handed over."""
