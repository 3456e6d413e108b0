"""Everything that can be set from outside; nothing else in this service reads the environment."""

from typing import Annotated, Self

from opskit.settings import DatabaseUrl, NexusSettings, RedisSettings, ServiceSettings
from pydantic import AnyHttpUrl, Field, SecretStr, model_validator

from gateway.keys import weakness

Bytes = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]

MIB = 1024 * 1024


class DatabaseSettings(NexusSettings):
    """All that the command line for keys needs."""

    gateway_database_url: DatabaseUrl = Field(
        "sqlite:///.nexus/state/gateway.db", description="API keys and usage; SQLite's or PostgreSQL's."
    )


class Settings(DatabaseSettings, RedisSettings, ServiceSettings):
    """Settings of the gateway. Each is the variable NEXUS_<NAME>."""

    bootstrap_key: SecretStr | None = Field(
        None, description="An admin key made sure of at every start; a weak one stops the start."
    )

    rag_url: AnyHttpUrl = AnyHttpUrl("http://127.0.0.1:8081")
    ingest_url: AnyHttpUrl = AnyHttpUrl("http://127.0.0.1:8082")
    trainer_url: AnyHttpUrl = AnyHttpUrl("http://127.0.0.1:8083")
    alert_bridge_url: AnyHttpUrl = AnyHttpUrl("http://127.0.0.1:8084")

    rate_limit_per_minute: Count = Field(12_000, description="Requests a minute for one key.")
    max_requests_in_flight: Count = Field(512, description="Above this, requests are turned away with 503 at once.")
    max_answers_in_flight: Count = Field(64, description="Above this, new questions are turned away with 503 at once.")
    max_json_bytes: Bytes = Field(MIB, description="Largest JSON body.")
    max_document_bytes: Bytes = Field(50 * MIB, description="Largest document.")

    key_cache_seconds: Seconds = Field(2.0, description="For how long a looked-up key is believed.")
    answer_silence_seconds: Seconds = Field(120.0, description="Longest silence of rag before an answer is given up.")
    upstream_silence_seconds: Seconds = Field(30.0, description="The same for every other call to a service.")
    usage_flush_seconds: Seconds = Field(5.0, description="How often usage is written to SQL.")
    drain_seconds: float = Field(
        0.0, ge=0, description="After SIGTERM, for how long /readyz fails before the door closes to new requests."
    )

    @model_validator(mode="after")
    def _refuse_a_weak_bootstrap_key(self) -> Self:
        if self.bootstrap_key is not None and (why := weakness(self.bootstrap_key.get_secret_value())):
            raise ValueError(f"NEXUS_BOOTSTRAP_KEY {why}")
        return self
