"""Every setting of ingest; nothing else reads the environment."""

from datetime import timedelta
from pathlib import Path
from typing import Literal, Self

from opskit.settings import DatabaseUrl, MilvusSettings, Port, ServiceSettings, TritonSettings
from pydantic import Field, RedisDsn, SecretStr, model_validator

_REPOSITORY = Path(__file__).resolve().parents[4]


class Settings(MilvusSettings, TritonSettings, ServiceSettings):
    """Variables are named NEXUS_<FIELD>."""

    broker_url: RedisDsn = RedisDsn("redis://127.0.0.1:6379/1")
    ingest_database_url: DatabaseUrl = "sqlite:///.nexus/state/ingest.db"

    store: Literal["folder", "s3"] = "folder"
    store_folder: Path = Path(".nexus/documents")
    s3_endpoint: str = Field("127.0.0.1:9000", description="host:port of the S3 server.")
    s3_access_key: str = ""
    s3_secret_key: SecretStr = SecretStr("")
    s3_bucket: str = "nexus"
    s3_secure: bool = True
    s3_events_target: str = Field(
        "",
        pattern=r"^(arn:[^:\s]+:sqs:[^:\s]*:[^:\s]+:[^:\s]+)?$",
        description="ARN of the target that the bucket sends its events to, and that posts them here; empty: none.",
    )
    events_token: SecretStr = Field(SecretStr(""), description="Bearer token of POST /events/s3; empty: open.")

    tokenizer_file: Path = Field(
        _REPOSITORY / "models" / "reader" / "tokenizer.json", description="The embedder's vocabulary, to size chunks."
    )
    max_document_bytes: int = Field(50 * 1024 * 1024, ge=1)
    max_chunks: int = Field(5_000, ge=1, description="A document with more chunks is refused.")

    milvus_flush: bool | None = Field(
        None, description="Flush after each document; unset: on Milvus Lite, where it is right, and nowhere else."
    )
    reconcile_seconds: float = Field(60.0, gt=0)
    worker_metrics_port: Port = 9101
    worker_metrics_host: str = "127.0.0.1"
    keep_deleted: timedelta = Field(timedelta(hours=24), description="How long a deleted document is remembered.")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.store == "s3" and not (self.s3_access_key and self.s3_secret_key.get_secret_value()):
            raise ValueError("NEXUS_STORE=s3 needs NEXUS_S3_ACCESS_KEY and NEXUS_S3_SECRET_KEY.")
        return self
