"""Models, embeddings, search and feedback."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from gateway.json_body import UNSUPPORTED
from gateway.schemas.base import Body, KnowledgeBaseName, SaidText, Shown, Text, TopK

MAX_INPUTS = 2048
Question = Annotated[SaidText, Field(max_length=8192)]
EmbeddedText = Annotated[SaidText, Field(max_length=32_768)]


def _no_tokens(value: Any) -> Any:
    first = value[0] if isinstance(value, list) and value else None
    if isinstance(first, int | list):
        raise PydanticCustomError(UNSUPPORTED, "Token ids are not supported as input; send text.")
    return value


class SearchRequest(Body):
    """A bare search, without an answer."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"query": "default scrape interval", "top_k": 5, "knowledge_base": "default"}]}
    )

    query: Question
    top_k: TopK | None = None
    knowledge_base: KnowledgeBaseName | None = None


class Hit(Shown):
    """A passage found."""

    document: str
    chunk_id: str
    text: str
    score: float
    page: int | None = None


class SearchResult(Shown):
    """The passages found, best first."""

    hits: list[Hit]


class EmbeddingsRequest(Body):
    """Texts to embed."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"model": "all-MiniLM-L6-v2", "input": ["first text", "second text"]}]}
    )

    model: Text = Field(min_length=1, max_length=256)
    input: Annotated[
        EmbeddedText | Annotated[list[EmbeddedText], Field(min_length=1, max_length=MAX_INPUTS)],
        BeforeValidator(_no_tokens),
    ]
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: int | None = Field(None, ge=1, le=65_536)
    user: Annotated[Text, Field(max_length=512)] | None = None


class Embedding(Shown):
    """One text's vector."""

    object: Literal["embedding"]
    index: int
    embedding: list[float] | str


class Embeddings(Shown):
    """A vector for each text, in the order of the input."""

    object: Literal["list"]
    model: str
    data: list[Embedding]
    usage: dict[str, int]


class ModelShown(Shown):
    """A model that can be named in a request."""

    id: str = Field(examples=["nexus"])
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "nexus"


class ModelList(Shown):
    """The models that can be named."""

    object: Literal["list"]
    data: list[ModelShown]


class FeedbackRequest(Body):
    """A vote on an answer. One vote per key and answer; a second replaces the first."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"answer_id": "ans_4f1c2b7d9a", "rating": "down", "correction": "It is one minute."}]
        }
    )

    answer_id: str = Field(min_length=1, max_length=256)
    rating: Literal["up", "down"]
    comment: Annotated[Text, Field(max_length=4000)] | None = None
    correction: Annotated[Text, Field(max_length=20_000)] | None = None


class FeedbackShown(Shown):
    """The vote as it was kept."""

    answer_id: str
    rating: Literal["up", "down"]
    created_at: datetime | None = None
