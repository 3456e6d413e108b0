"""What the gateway says of runs, releases, incidents and the switch for automatic runs, as values."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator

from ui.models import Shown, Text


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


Moment = Annotated[datetime, AfterValidator(_in_utc)]


class StageRecord(Shown):
    """One stage of a run. `says` is one line: what came of it, or why it failed."""

    stage: str
    status: str
    started_at: Moment
    finished_at: Moment | None = None
    seconds: float | None = None
    attempts: int = 1
    says: Text = ""


class Check(Shown):
    """One figure the gate looked at. What was not measured is None; `says` ends with the rule it was held to."""

    name: str
    passed: bool
    champion: float | None = None
    candidate: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    questions: int = 0
    says: Text = ""


class Verdict(Shown):
    """What the gate decided, and all it decided by."""

    decision: str
    checks: tuple[Check, ...] = ()
    reasons: tuple[str, ...] = ()


class Run(Shown):
    """One run of the improvement pipeline. `stage` is what is done now or comes next; the verdict is only told of a run
    that is asked for by itself."""

    id: str
    status: str = ""
    outcome: str | None = None
    stage: str | None = None
    incident: str | None = None
    alertname: str | None = None
    reason: Text = ""
    started_by: Text = ""
    created_at: Moment
    finished_at: Moment | None = None
    says: Text = ""
    release: str | None = None
    stages: tuple[StageRecord, ...] = ()
    verdict: Verdict | None = None

    @property
    def under_way(self) -> bool:
        """Whether it has not ended."""
        return self.outcome is None


class RunPage(Shown):
    """Runs, newest first."""

    runs: list[Run]
    next_cursor: Any = None


class Votes(Shown):
    """Standing votes."""

    up: int = 0
    down: int = 0


class Change(Shown):
    """One step in a release's life."""

    at: Moment
    before: str
    after: str
    who: Text = ""
    why: Text = ""


class Release(Shown):
    """What answers, is tried, or once answered. Parts and history are only told of one that is asked for by itself."""

    id: str
    state: str
    alias: str | None = None
    share: float = 0.0
    run: str | None = None
    first_seen: Moment | None = None
    last_seen: Moment | None = None
    votes: Votes = Votes()
    parts: dict[str, Any] | None = None
    settings: dict[str, Any] | None = None
    history: tuple[Change, ...] = ()

    @property
    def promotable(self) -> bool:
        """Whether it may take the champion's place."""
        return self.alias != "champion" and self.state in ("candidate", "challenger", "retired", "start")


class ReleasePage(Shown):
    """Releases, newest first."""

    releases: list[Release]
    next_cursor: Any = None


class Incident(Shown):
    """One firing episode of one alert, and what was done about it."""

    id: str
    alertname: Text = ""
    severity: str | None = None
    status: str
    decision: str
    reason: Text = ""
    run: str | None = None
    run_outcome: str | None = None
    annotations: Mapping[str, str] = {}
    starts_at: Moment
    ends_at: Moment | None = None
    messages: int = 1


class IncidentPage(Shown):
    """Incidents, newest first."""

    incidents: list[Incident]
    next_cursor: Any = None


class Automation(Shown):
    """Whether alerts may start runs, and who said so last; all else is None while nobody has."""

    paused: bool
    by: str | None = None
    reason: str | None = None
    changed_at: Moment | None = None


def alias_holder(releases: list[Release], alias: str) -> Release | None:
    """The champion or the challenger among them."""
    return next((one for one in releases if one.alias == alias), None)
