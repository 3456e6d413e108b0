"""Every setting of alert-bridge; nothing else reads the environment."""

from datetime import timedelta
from typing import Literal, Self

from opskit.settings import DatabaseUrl, ServiceSettings
from pydantic import AnyHttpUrl, Field, RedisDsn, SecretStr, model_validator


class Settings(ServiceSettings):
    """Variables are named NEXUS_<FIELD>."""

    alert_bridge_database_url: DatabaseUrl = "sqlite:///.nexus/state/alert-bridge.db"
    webhook_token: SecretStr = Field(min_length=16, description="Bearer token that Alertmanager presents.")
    max_webhook_bytes: int = Field(64 * 1024 * 1024, ge=1)

    run_starter: Literal["celery", "argo-events"] = Field("celery", description="How trainer gets its orders.")
    broker_url: RedisDsn = RedisDsn("redis://127.0.0.1:6379/1")
    argo_events_url: AnyHttpUrl | None = Field(None, description="The webhook of an Argo Events event source.")
    argo_events_token: SecretStr = Field(SecretStr(""), description="Bearer token that the event source wants.")
    run_cooldown: timedelta = Field(
        timedelta(hours=6),
        ge=timedelta(0),
        le=timedelta(days=365),
        description="From the end of a target's last run to the next that an alert may start.",
    )
    run_deadline: timedelta = Field(
        timedelta(hours=3),
        gt=timedelta(0),
        le=timedelta(days=365),
        description="A run that was not reported for so long is lost.",
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        has_door = self.argo_events_url is not None and self.argo_events_token.get_secret_value()
        if self.run_starter == "argo-events" and not has_door:
            raise ValueError("NEXUS_RUN_STARTER=argo-events needs NEXUS_ARGO_EVENTS_URL and NEXUS_ARGO_EVENTS_TOKEN.")
        return self
