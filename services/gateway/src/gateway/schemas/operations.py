"""Keys, usage, runs, releases, incidents and the state of the stack."""

from datetime import date, datetime
from typing import Annotated, Literal

from opskit.identity import NAME_PATTERN
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from gateway.keys import SCOPES, KeyRecord, Scope
from gateway.schemas.base import Body, SaidText, Shown, Text


class KeyRequest(Body):
    """A key to be made."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "support bot", "tenant": "acme", "scopes": ["chat"]}]}
    )

    name: Annotated[SaidText, Field(max_length=100)]
    tenant: str = Field(pattern=NAME_PATTERN, description="Whose documents the key opens.")
    scopes: list[Scope] = Field(min_length=1, max_length=len(SCOPES))


class KeyShown(BaseModel):
    """A key without its secret."""

    id: str
    name: str
    tenant: str
    scopes: list[Scope]
    created_at: datetime
    revoked_at: datetime | None = None

    @classmethod
    def of(cls, record: KeyRecord) -> "KeyShown":
        """The public side of a record."""
        return cls(
            id=record.id,
            name=record.name,
            tenant=record.tenant,
            scopes=[scope for scope in SCOPES if scope in record.scopes],
            created_at=record.created_at,
            revoked_at=record.revoked_at,
        )


class KeyCreated(KeyShown):
    """A new key with its secret, which is shown only this once."""

    key: str = Field(examples=["nx_0123456789ab_..."])


class KeyList(BaseModel):
    """All keys, oldest first."""

    keys: list[KeyShown]


class UsageShown(BaseModel):
    """What one key used on one day."""

    day: date
    tenant: str
    key_id: str
    requests: int
    answers: int
    prompt_tokens: int
    completion_tokens: int


class UsageList(BaseModel):
    """Usage by day, tenant and key, newest day first. It is written every few seconds."""

    usage: list[UsageShown]


class RunRequest(Body):
    """A run of the improvement pipeline to be started."""

    reason: Annotated[Text, Field(max_length=500)] | None = None
    knowledge_base: Annotated[str, Field(pattern=NAME_PATTERN)] | None = None


class ProposalRequest(Body):
    """A release that differs from the champion in its prompt or retrieval settings alone."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"settings": {"retrieval": {"passages": 6}}, "reason": "shorter to read"}]}
    )

    settings: Annotated[
        dict[Literal["prompt", "retrieval"], dict[str, JsonValue]],
        Field(min_length=1, description="What to change of the champion's settings; what is not named stays."),
    ]
    reason: Annotated[Text, Field(max_length=500)] | None = None
    knowledge_base: (
        Annotated[str, Field(pattern=NAME_PATTERN, description="Measure on votes on this one alone.")] | None
    ) = None


class RollbackRequest(Body):
    """Where to roll back to; the release before the champion when left out."""

    release: Annotated[str, Field(pattern=r"^rel_[A-Za-z0-9]{1,64}$")] | None = None
    reason: Annotated[Text, Field(max_length=500)] | None = None


class PromoteRequest(Body):
    """Why a release is promoted, for the audit."""

    reason: Annotated[Text, Field(max_length=500)] | None = None


class AutomationRequest(Body):
    """Whether runs may start by themselves."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"paused": True, "reason": "the documents are moving"}]})

    paused: bool
    reason: Annotated[Text, Field(max_length=500)] | None = None


class AutomationShown(Shown):
    """Whether runs may start by themselves, and who said so."""

    paused: bool


class RunShown(Shown):
    """A run of the improvement pipeline."""

    id: str


class RunList(Shown):
    """Runs, newest first."""

    runs: list[RunShown]


class ReleaseShown(Shown):
    """What answers, or once did."""

    id: str


class ReleaseList(Shown):
    """Releases, newest first."""

    releases: list[ReleaseShown]


class IncidentList(Shown):
    """Firing episodes of alerts, newest first."""

    incidents: list[dict[str, object]]


class ServiceState(BaseModel):
    """What a service says about itself: for each dependency "ok", or why it cannot be used."""

    status: Literal["ready", "degraded", "unavailable"]
    checks: dict[str, str]


class StackState(BaseModel):
    """The worst of the services, and each of them."""

    status: Literal["ready", "degraded", "unavailable"]
    services: dict[str, ServiceState]
