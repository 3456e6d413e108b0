"""Every setting of rag; nothing else reads the environment."""

from datetime import timedelta
from pathlib import Path

from opskit.settings import DatabaseUrl, MilvusSettings, RedisSettings, ServiceSettings, TritonSettings
from pydantic import AnyHttpUrl, Field, SecretStr, field_validator

from rag.remote_model import FORM, remote_model


class Settings(RedisSettings, MilvusSettings, TritonSettings, ServiceSettings):
    """Variables are named NEXUS_<FIELD>."""

    rag_database_url: DatabaseUrl = "sqlite:///.nexus/state/rag.db"
    model: str = Field(
        "extractive",
        description="What reads: `extractive`, a GGUF file (both in Triton), or `openai:<base url>#<model>`.",
    )
    model_api_key: SecretStr = Field(SecretStr(""), description="Key of an OpenAI-compatible server.")
    model_context: int = Field(8192, ge=512, description="Tokens that a model on such a server can read and write.")
    model_silence_seconds: float = Field(30.0, gt=0, description="The longest pause of such a server in an answer.")
    model_price_read: float = Field(0.0, ge=0, description="US dollars per million tokens it reads.")
    model_price_written: float = Field(0.0, ge=0, description="US dollars per million tokens it writes.")
    release_file: Path = Field(
        Path(__file__).with_name("release.yaml"), description="Prompt and retrieval settings of the release."
    )

    trainer_url: AnyHttpUrl = AnyHttpUrl("http://127.0.0.1:8083")
    serving_refresh_seconds: float = Field(2.0, gt=0, description="How often trainer is asked which releases serve.")

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
    def _well_formed(cls, model: str) -> str:
        model = model.strip() or "extractive"  # set to nothing is not set, as in serving
        if remote_model(model) is None and model != "extractive" and not model.lower().endswith(".gguf"):
            raise ValueError(f"NEXUS_MODEL is none of: extractive, a GGUF file, {FORM}")
        return model
