"""Setting groups. A service's `settings.py` combines the groups it needs; nothing else reads the environment."""

from typing import Annotated

from pydantic import AnyHttpUrl, Field, RedisDsn, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

Port = Annotated[int, Field(ge=1, le=65535)]


class ServiceSettings(BaseSettings):
    """What every service has. Variables are named NEXUS_<FIELD>; a missing required one stops the start."""

    model_config = SettingsConfigDict(env_prefix="NEXUS_", extra="ignore", hide_input_in_errors=True)

    log_level: str = "INFO"
    log_json: bool = False
    internal_token: SecretStr = Field(
        min_length=16, description="Shared by the services; the gateway presents it at the internal doors."
    )


class RedisSettings(BaseSettings):
    """Redis holds only what may be lost: conversations, limits, the task broker. One database number each."""

    redis_url: RedisDsn = RedisDsn("redis://127.0.0.1:6379/0")


class MilvusSettings(BaseSettings):
    """Where vectors live."""

    milvus_url: AnyHttpUrl = AnyHttpUrl("http://127.0.0.1:19530")
    milvus_token: SecretStr = SecretStr("")


class TritonSettings(BaseSettings):
    """Where models are served."""

    triton_grpc: str = Field("127.0.0.1:8001", description="host:port of Triton's gRPC door.")
