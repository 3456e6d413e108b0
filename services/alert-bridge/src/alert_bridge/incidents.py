"""Incidents as plain values: one for each firing episode of an alert."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from opskit.contracts.runs import DEFAULT_TARGET, RunOrder

from alert_bridge.runs import Run

ACTION_LABEL: Final = "nexus_action"
"""What an alert wants done about it."""
RETRAIN: Final = "retrain"
"""The one action there is: a run of the improvement pipeline."""
TARGET_LABEL: Final = "nexus_target"
"""What the run should improve."""
_TARGET: Final = re.compile(r"[a-z0-9-]{1,63}")
_ID_PREFIX: Final = "inc_"
_LONGEST_NAME: Final = 200
_LONGEST_REASON: Final = 1000


class Decision(StrEnum):
    """What was done about an incident."""

    STARTED = "started"
    JOINED = "joined"
    COOLDOWN = "cooldown"
    RESOLVED = "resolved"
    IGNORED = "ignored"


@dataclass(frozen=True)
class Episode:
    """What one message says of one firing episode. `ends_at` is set once it is resolved."""

    fingerprint: str
    starts_at: datetime
    ends_at: datetime | None
    labels: Mapping[str, str]
    annotations: Mapping[str, str]

    @property
    def resolved(self) -> bool:
        """Whether the alert stopped firing."""
        return self.ends_at is not None

    @property
    def incident_id(self) -> str:
        """The same for every message about the episode: an alert that fires again starts at another time."""
        name = f"{self.fingerprint}@{self.starts_at.astimezone(UTC).isoformat()}"
        return f"{_ID_PREFIX}{hashlib.sha256(name.encode()).hexdigest()[:24]}"

    @property
    def action(self) -> str:
        """What the alert asks for; empty if nothing."""
        return self.labels.get(ACTION_LABEL, "")

    @property
    def target(self) -> str:
        """What a run should improve; a name that cannot be one is as good as none."""
        named = self.labels.get(TARGET_LABEL, "")
        return named if _TARGET.fullmatch(named) else DEFAULT_TARGET

    @property
    def run_id(self) -> str:
        """The one run that the incident may ever get. It follows from the incident, so that a decision that is made
        again after its record was lost orders the same run."""
        return f"run_{self.incident_id.removeprefix(_ID_PREFIX)}"

    def order(self) -> RunOrder:
        """The order of that run."""
        alertname = self.labels.get("alertname", "")[:_LONGEST_NAME]
        summary = self.annotations.get("summary") or f"The alert {alertname!r} is firing."
        return RunOrder(
            run_id=self.run_id,
            target=self.target,
            incident=self.incident_id,
            alertname=alertname or None,
            reason=summary[:_LONGEST_REASON],
        )


@dataclass(frozen=True)
class Verdict:
    """A decision, its reason for a person, and the run that was started or joined."""

    decision: Decision
    reason: str
    run: str | None = None


@dataclass(frozen=True)
class Incident:
    """An episode as it is kept. `run` is the run that was started for it, or the last one it joined."""

    id: str
    episode: Episode
    verdict: Verdict
    run: Run | None
    first_received: datetime
    last_received: datetime
    messages: int

    @property
    def closed(self) -> bool:
        """Whether it is over."""
        return self.verdict.decision is Decision.RESOLVED


@dataclass(frozen=True)
class Handled:
    """What a message about an episode came to: the incident before it (None if it was not known) and after it."""

    episode: Episode
    before: Incident | None
    after: Incident

    @property
    def is_new(self) -> bool:
        """Whether the decision is another than before."""
        return self.before is None or self.before.verdict.decision is not self.after.verdict.decision

    @property
    def counts_as(self) -> Decision | None:
        """What it is counted as: a new decision as itself; a repeated wish for a run that there is already as joined;
        anything else as nothing."""
        if self.is_new:
            return self.after.verdict.decision
        asks = self.episode.action == RETRAIN and not self.episode.resolved
        has_run = self.after.verdict.decision in (Decision.STARTED, Decision.JOINED)
        return Decision.JOINED if asks and has_run else None


@dataclass(frozen=True)
class Page:
    """Some incidents, the newest first. `end` is where the next page goes on; None on the last one."""

    incidents: list[Incident]
    end: int | None

    @property
    def cursor(self) -> str | None:
        """`end` as callers see it."""
        return str(self.end) if self.end is not None else None
