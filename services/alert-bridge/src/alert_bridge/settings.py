"""Every setting of alert-bridge; nothing else reads the environment."""

from opskit.settings import ServiceSettings
from pydantic import Field, SecretStr


class Settings(ServiceSettings):
    """Variables are named NEXUS_<FIELD>."""

    alert_bridge_database_url: str = "sqlite:///.nexus/state/alert-bridge.db"
    webhook_token: SecretStr = Field(min_length=16, description="Bearer token that Alertmanager presents.")
    max_webhook_bytes: int = Field(64 * 1024 * 1024, ge=1)
