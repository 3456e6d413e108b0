"""The tables of alert-bridge. Change them by a migration."""

from datetime import datetime
from typing import Any, cast

from opskit.contracts.runs import Outcome
from opskit.database import UtcTime
from sqlalchemy import JSON, Boolean, Integer, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from alert_bridge.incidents import Decision, Episode, Incident, Verdict
from alert_bridge.runs import Automation, Run


class Base(DeclarativeBase):
    """Base of the tables."""


class RunRow(Base):
    """One run. `order` is null when trainer only reported it; it waits for the queue while neither `ordered_at` nor
    `finished_at` is set."""

    __tablename__ = "runs"

    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    id: Mapped[str] = mapped_column(String(64), unique=True)
    target: Mapped[str] = mapped_column(String(63), index=True)
    incident: Mapped[str | None] = mapped_column(Text)
    order: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    started_at: Mapped[datetime | None] = mapped_column(UtcTime)
    ordered_at: Mapped[datetime | None] = mapped_column(UtcTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcTime)
    outcome: Mapped[str | None] = mapped_column(String(16))
    message: Mapped[str] = mapped_column(Text, default="")

    def value(self) -> Run:
        """The run as a plain value."""
        return Run(
            id=self.id,
            target=self.target,
            incident=self.incident,
            started_at=self.started_at,
            ordered_at=self.ordered_at,
            finished_at=self.finished_at,
            outcome=cast(Outcome | None, self.outcome),
            message=self.message,
        )


class IncidentRow(Base):
    """One firing episode of one alert."""

    __tablename__ = "incidents"

    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    id: Mapped[str] = mapped_column(String(40), unique=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    starts_at: Mapped[datetime] = mapped_column(UtcTime)
    ends_at: Mapped[datetime | None] = mapped_column(UtcTime)
    labels: Mapped[dict[str, str]] = mapped_column(JSON)
    annotations: Mapped[dict[str, str]] = mapped_column(JSON)
    decision: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text)
    run_id: Mapped[str | None] = mapped_column("run", String(128))
    run: Mapped[RunRow | None] = relationship(
        primaryjoin="foreign(IncidentRow.run_id) == RunRow.id", lazy="joined", innerjoin=False
    )
    first_received: Mapped[datetime] = mapped_column(UtcTime)
    last_received: Mapped[datetime] = mapped_column(UtcTime)
    messages: Mapped[int] = mapped_column(Integer)

    def value(self) -> Incident:
        """The incident as a plain value."""
        return Incident(
            id=self.id,
            episode=Episode(self.fingerprint, self.starts_at, self.ends_at, self.labels, self.annotations),
            verdict=Verdict(Decision(self.decision), self.reason, self.run.id if self.run is not None else None),
            run=self.run.value() if self.run is not None else None,
            first_received=self.first_received,
            last_received=self.last_received,
            messages=self.messages,
        )


class AutomationRow(Base):
    """One turn of the switch for automatic runs; the last one counts."""

    __tablename__ = "automation"

    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    paused: Mapped[bool] = mapped_column(Boolean)
    by: Mapped[str | None] = mapped_column(String(128))
    reason: Mapped[str | None] = mapped_column(Text)
    changed_at: Mapped[datetime | None] = mapped_column(UtcTime)

    def value(self) -> Automation:
        """The switch as a plain value."""
        return Automation(paused=self.paused, by=self.by, reason=self.reason, changed_at=self.changed_at)
