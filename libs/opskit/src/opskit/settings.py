"""Setting groups. A service's `settings.py` combines the groups it needs; nothing else reads the environment.

    NEXUS_REDIS_URL=redis://redis:6379/0        a variable,
    /run/secrets/nexus/nexus_internal_token     or a file named like it; NEXUS_SECRETS_DIR names another folder

A variable wins over a file. `read_settings` ends a process that is not set up well, with a line a problem.
"""

import os
import sys
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import AfterValidator, AnyHttpUrl, BeforeValidator, Field, RedisDsn, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
    SettingsError,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

BADLY_SET: Final = 2
"""How a process exits that was set up badly: starting it again will not help."""

Kind = TypeVar("Kind", bound=BaseSettings)


def _database_url(text: str) -> str:
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        # Not `from` it: its text may be a part of the password.
        raise ValueError("is no database's URL, such as postgresql+psycopg://user:password@host:5432/name") from None
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername not in ("sqlite", "postgresql+psycopg"):
        raise ValueError("names neither sqlite:// nor postgresql+psycopg://")
    return url.render_as_string(hide_password=False)


def _upper(level: object) -> object:
    return level.upper() if isinstance(level, str) else level


Port = Annotated[int, Field(ge=1, le=65535)]
LogLevel = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(_upper)]
DatabaseUrl = Annotated[str, AfterValidator(_database_url)]


class NexusSettings(BaseSettings):
    """Reads variables named NEXUS_<FIELD>, and files of the same name in lower case."""

    model_config = SettingsConfigDict(env_prefix="NEXUS_", extra="ignore", hide_input_in_errors=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given, then variables, then files: looked for anew each time, in the folder that is named then."""
        folder = secrets_folder()
        files = (_SecretFiles(settings_cls, folder),) if folder.exists() else ()
        return init_settings, env_settings, *files


class ServiceSettings(NexusSettings):
    """What every service has."""

    log_level: LogLevel = "INFO"
    log_json: bool = False
    internal_token: SecretStr = Field(
        min_length=16, description="Shared by the services; the gateway presents it at the internal doors."
    )


class RedisSettings(NexusSettings):
    """Redis holds only what may be lost: conversations, limits, the task broker. One database number each."""

    redis_url: RedisDsn = RedisDsn("redis://127.0.0.1:6379/0")


class MilvusSettings(NexusSettings):
    """Where vectors live."""

    milvus_url: AnyHttpUrl = AnyHttpUrl("http://127.0.0.1:19530")
    milvus_token: SecretStr = SecretStr("")


class TritonSettings(NexusSettings):
    """Where models are served."""

    triton_grpc: str = Field("127.0.0.1:8001", description="host:port of Triton's gRPC door.")


def secrets_folder() -> Path:
    """Where secrets lie as files, if there are any."""
    return Path(os.environ.get("NEXUS_SECRETS_DIR") or "/run/secrets/nexus")


def read_settings(kind: type[Kind]) -> Kind:
    """The settings; or the end of the process, with a line for each problem and no value in any of them."""
    try:
        return kind()
    except ValidationError as exc:
        problems = [_problem(error) for error in exc.errors(include_url=False, include_input=False)]
    except (SettingsError, OSError) as exc:
        problems = [str(exc.__cause__ if isinstance(exc.__cause__, _BadFile) else exc)]
    sys.stderr.writelines(f"{problem}\n" for problem in problems)
    raise SystemExit(BADLY_SET)


class _BadFile(Exception):
    """A secret's file that is there and gives nothing."""


class _SecretFiles(SecretsSettingsSource):
    """An empty file, or one that may not be read, is a mistake: the default would hide it."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The file's content, unless a variable was set already."""
        if field_name in self.current_state:
            return None, field_name, False
        try:
            value, key, is_complex = super().get_field_value(field, field_name)
        except OSError as exc:
            raise _BadFile(f"{exc.filename} cannot be read: {exc.strerror}") from exc
        except UnicodeDecodeError as exc:
            raise _BadFile(f"{_file_of(field_name)} cannot be read: it is not text") from exc
        if value == "":
            raise _BadFile(f"{_file_of(field_name)} is empty")
        return value, key, is_complex


def _problem(error: ErrorDetails) -> str:
    field = ".".join(str(part) for part in error["loc"])
    if error["type"] == "missing":
        return f"{_variable(field)} is missing: set it, or put it into {_file_of(field)}"
    says = str(error["ctx"]["error"]) if error["type"] == "value_error" else error["msg"]
    return says if not field or says.startswith(_variable(field)) else f"{_variable(field)}: {says}"


def _variable(field: str) -> str:
    return f"NEXUS_{field}".upper()


def _file_of(field: str) -> Path:
    return secrets_folder() / _variable(field).lower()
