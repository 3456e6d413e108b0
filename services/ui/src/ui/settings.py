"""Everything that can be set from outside; nothing else in this service reads the environment."""

import os
import sys
from pathlib import Path
from typing import Annotated, Final

from pydantic import AnyHttpUrl, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

_BADLY_SET: Final = 2


class Settings(BaseSettings):
    """Settings of the chatbot. Each is the variable NEXUS_<NAME>, or a file of that name in lower case in the secrets
    folder; a missing key stops the start."""

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

    gateway_link: AnyHttpUrl | None = Field(
        None, description="Where people's browsers find the gateway, if not at the address that the chatbot asks."
    )
    prometheus_link: AnyHttpUrl | None = Field(None, description="Likewise; and so on.")
    alertmanager_link: AnyHttpUrl | None = None
    mlflow_link: AnyHttpUrl | None = None
    grafana_link: AnyHttpUrl | None = None

    def links(self) -> dict[str, str]:
        """What the Status page links to, by name: addresses for people, and only those that are known."""
        known = {
            "Grafana": self.grafana_link,
            "Prometheus": self.prometheus_link or self.prometheus_url,
            "Alertmanager": self.alertmanager_link or self.alertmanager_url,
            "MLflow": self.mlflow_link or self.mlflow_url,
        }
        reference = f"{str(self.gateway_link or self.url).rstrip('/')}/docs"
        return {"API reference": reference, **{name: str(url) for name, url in known.items() if url}}


def read_settings() -> Settings:
    """The settings; or the end of the process, with a line for each problem and no value in any of them."""
    folder = Path(os.environ.get("NEXUS_SECRETS_DIR") or "/run/secrets/nexus")
    try:
        return Settings(_secrets_dir=folder if folder.exists() else None)
    except ValidationError as exc:
        problems = [_problem(str(error["loc"][0]), error["type"], error["msg"], folder) for error in exc.errors()]
    except (SettingsError, OSError) as exc:
        problems = [str(exc.__cause__ or exc)]
    sys.stderr.writelines(f"{problem}\n" for problem in problems)
    raise SystemExit(_BADLY_SET)


def _problem(field: str, kind: str, says: str, folder: Path) -> str:
    variable = f"NEXUS_{field}".upper()
    if kind == "missing":
        return f"{variable} is missing: set it, or put it into {folder / variable.lower()}"
    return f"{variable}: {says}"
