"""Everything that can be set from outside; nothing else in this service reads the environment."""

from typing import Annotated

from pydantic import AnyHttpUrl, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Settings of the chatbot. Each is the variable NEXUS_<NAME>; a missing key stops the start."""

    model_config = SettingsConfigDict(env_prefix="NEXUS_", extra="ignore", hide_input_in_errors=True)

    ui_host: str = "127.0.0.1"
    ui_port: Annotated[int, Field(ge=1, le=65535)] = 8501
    url: AnyHttpUrl = Field(AnyHttpUrl("http://127.0.0.1:8080"), description="The gateway, the only peer.")
    api_key: SecretStr = Field(
        min_length=1, description="The key the chatbot acts with: everyone who opens it may do what this key may."
    )
    log_level: str = "INFO"

    prometheus_url: AnyHttpUrl | None = Field(
        None, description="Linked on the Status page, and read for the charts over time."
    )
    alertmanager_url: AnyHttpUrl | None = None
    mlflow_url: AnyHttpUrl | None = None
