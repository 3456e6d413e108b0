"""Incidents as plain values: one for each firing episode of an alert."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum


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
        return f"inc_{hashlib.sha256(name.encode()).hexdigest()[:24]}"


@dataclass(frozen=True)
class Verdict:
    """A decision, and its reason for a person."""

    decision: Decision
    reason: str


@dataclass(frozen=True)
class Incident:
    """An episode as it is kept. `run` is the run that was started for it."""

    id: str
    episode: Episode
    verdict: Verdict
    run: str | None
    first_received: datetime
    last_received: datetime
    messages: int

    @property
    def closed(self) -> bool:
        """Whether it is over."""
        return self.verdict.decision is Decision.RESOLVED


@dataclass(frozen=True)
class Page:
    """Some incidents, the newest first. `end` is where the next page goes on; None on the last one."""

    incidents: list[Incident]
    end: int | None

    @property
    def cursor(self) -> str | None:
        """`end` as callers see it."""
        return str(self.end) if self.end is not None else None
