"""Every setting of rag; nothing else reads the environment."""

from datetime import timedelta
from pathlib import Path

from opskit.settings import MilvusSettings, RedisSettings, ServiceSettings, TritonSettings
from pydantic import Field, field_validator

SUPPORTED_MODELS = ("extractive",)


class Settings(RedisSettings, MilvusSettings, TritonSettings, ServiceSettings):
    """Variables are named NEXUS_<FIELD>."""

    rag_database_url: str = "sqlite:///.nexus/state/rag.db"
    model: str = Field("extractive", description="The engine that reads: `extractive`, in Triton.")
    release_file: Path = Field(
        Path(__file__).with_name("release.yaml"), description="Prompt and retrieval settings of the release."
    )

    milvus_searches: int = Field(32, ge=1, description="Searches in Milvus at the same time; few for Milvus Lite.")
    answer_seconds: float = Field(60.0, gt=0, description="An answer that takes longer is given up.")
    readers: int = Field(4, ge=1, description="Answers read at the same time.")
    readers_waiting: int = Field(32, ge=0, description="Answers that may wait for their turn; more are turned away.")
    reader_wait_seconds: float = Field(10.0, gt=0, description="The longest an answer waits for its turn.")
    models_refresh_seconds: float = Field(5.0, gt=0, description="How often Triton is asked which models it serves.")

    conversation_turns: int = Field(12, ge=1, description="Questions remembered of a conversation.")
    conversation_ttl: timedelta = Field(timedelta(hours=24), description="A silent conversation is forgotten then.")
    keep_answers: timedelta = Field(timedelta(days=90), description="How long answers are kept for feedback.")

    @field_validator("model")
    @classmethod
    def _known_model(cls, model: str) -> str:
        if model not in SUPPORTED_MODELS:
            raise ValueError(f"NEXUS_MODEL={model} is not supported; supported: {', '.join(SUPPORTED_MODELS)}.")
        return model
