"""What goes over the wire: Alertmanager's message in, incidents and runs out."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from opskit.contracts.runs import Outcome
from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, StrictBool

from alert_bridge.incidents import Decision, Episode, Incident
from alert_bridge.runs import Automation, Run


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as exc:
        raise ValueError("is out of range.") from exc


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]


class Alert(BaseModel):
    """One alert of a message. `endsAt` means something only once it is resolved."""

    status: Literal["firing", "resolved"]
    labels: dict[str, str]
    annotations: dict[str, str] = {}
    startsAt: Moment  # noqa: N815 - Alertmanager's names
    endsAt: Moment | None = None  # noqa: N815
    fingerprint: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")

    def episode(self, *, now: datetime) -> Episode:
        """The firing episode this speaks of. A message that is resolved without saying when is resolved now."""
        ended = self.endsAt if self.endsAt is not None and self.endsAt >= self.startsAt else now
        return Episode(
            fingerprint=self.fingerprint,
            starts_at=self.startsAt,
            ends_at=ended if self.status == "resolved" else None,
            labels=self.labels,
            annotations=self.annotations,
        )


class WebhookMessage(BaseModel):
    """Alertmanager's webhook message, version 4; the fields nobody needs here are left out."""

    version: Literal["4"]
    alerts: list[Alert]


class WebhookReceipt(BaseModel):
    """The message is kept."""

    alerts: int = Field(description="Alerts in the message.")
    decided: int = Field(description="Incidents that got a decision by it; a repeated message decides nothing.")


class IncidentShown(BaseModel):
    """One firing episode of one alert, and what was done about it."""

    id: str
    alertname: str
    severity: str | None
    status: Literal["firing", "resolved"]
    decision: Decision
    reason: str
    run: str | None = Field(description="The run that was started for it, or the last one it joined.")
    run_outcome: Outcome | None = Field(description="How that run ended; null until trainer reports it.")
    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: datetime
    ends_at: datetime | None
    first_received: datetime
    last_received: datetime
    messages: int = Field(description="Messages about it so far.")

    @classmethod
    def of(cls, incident: Incident) -> "IncidentShown":
        """The incident as it is shown."""
        episode = incident.episode
        return cls(
            id=incident.id,
            alertname=episode.labels.get("alertname", ""),
            severity=episode.labels.get("severity"),
            status="resolved" if incident.closed else "firing",
            decision=incident.verdict.decision,
            reason=incident.verdict.reason,
            run=incident.run.id if incident.run is not None else None,
            run_outcome=incident.run.outcome if incident.run is not None else None,
            labels=dict(episode.labels),
            annotations=dict(episode.annotations),
            starts_at=episode.starts_at,
            ends_at=episode.ends_at,
            first_received=incident.first_received,
            last_received=incident.last_received,
            messages=incident.messages,
        )


class IncidentList(BaseModel):
    """Incidents, newest first."""

    incidents: list[IncidentShown]
    next_cursor: str | None = Field(description="Give it as `cursor` for the next page; null on the last one.")


class RunShown(BaseModel):
    """What is known here of one run."""

    run_id: str
    target: str
    incident: str | None
    started_at: datetime | None = Field(description="When it was decided, or first told of by trainer.")
    ordered_at: datetime | None = Field(description="When it was handed over; null while it waits for the queue.")
    finished_at: datetime | None
    outcome: Outcome | None
    message: str

    @classmethod
    def of(cls, run: Run) -> "RunShown":
        """The run as it is shown."""
        return cls(
            run_id=run.id,
            target=run.target,
            incident=run.incident,
            started_at=run.started_at,
            ordered_at=run.ordered_at,
            finished_at=run.finished_at,
            outcome=run.outcome,
            message=run.message,
        )


class AutomationWish(BaseModel):
    """How the switch for automatic runs shall stand."""

    paused: StrictBool
    reason: str | None = Field(None, max_length=500, pattern=r"^[^\x00]*$", description="For whoever wonders later.")


class AutomationShown(BaseModel):
    """How the switch stands, and who turned it last; all but `paused` is null while nobody has."""

    paused: bool
    by: str | None = Field(description="The id of the key that turned it.")
    reason: str | None
    changed_at: datetime | None

    @classmethod
    def of(cls, automation: Automation) -> "AutomationShown":
        """The switch as it is shown."""
        return cls(
            paused=automation.paused,
            by=automation.by,
            reason=automation.reason,
            changed_at=automation.changed_at,
        )


class ErrorDetail(BaseModel):
    """What went wrong, for the person who caused it."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class ErrorBody(BaseModel):
    """Every error looks like this."""

    error: ErrorDetail
