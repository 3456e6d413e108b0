"""Bodies at the internal doors. The gateway has checked more than this; here stands what answering relies on."""

from typing import Annotated, Any, Literal

from opskit.contracts.answers import Citation
from opskit.contracts.reader import Turn
from opskit.contracts.trials import Trial
from opskit.identity import DEFAULT_KNOWLEDGE_BASE, NAME_PATTERN
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

MODEL = "nexus"
EMBEDDING_MODEL = "all-MiniLM-L6-v2"
EMBEDDING_MODEL_ALIAS = "nexus-embedder"
MOST_INPUTS = 256
CONVERSATION_PATTERN = r"^[A-Za-z0-9_-]{1,128}$"

KnowledgeBase = Annotated[str, Field(pattern=NAME_PATTERN)]
TopK = Annotated[int, Field(ge=1, le=50)]
SaidText = Annotated[str, StringConstraints(min_length=1, max_length=32_768)]


class _Body(BaseModel):
    """What we do not know is left alone: OpenAI's clients send more than we need."""

    model_config = ConfigDict(extra="ignore", frozen=True)


def _joined(content: Any) -> Any:
    """Text parts are one text."""
    if isinstance(content, list):
        return "".join(part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str))
    return content


class Message(_Body):
    """One message of the conversation."""

    role: Literal["system", "developer", "user", "assistant"]
    content: Annotated[str, BeforeValidator(_joined)]


class NexusOptions(_Body):
    """What this platform adds to the request."""

    conversation_id: Annotated[str, Field(pattern=CONVERSATION_PATTERN)] | None = None
    knowledge_base: KnowledgeBase | None = None
    top_k: TopK | None = Field(None, description="Passages shown to the reader at most.")


class ChatRequest(_Body):
    """A question over documents."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "model": MODEL,
                    "messages": [{"role": "user", "content": "How long is the default sync interval?"}],
                    "stream": True,
                    "nexus": {"knowledge_base": DEFAULT_KNOWLEDGE_BASE},
                }
            ]
        }
    )

    model: str
    messages: list[Message] = Field(min_length=1, max_length=1000)
    stream: bool | None = None
    max_tokens: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=1)
    nexus: NexusOptions | None = None

    def turns(self) -> list[Turn]:
        """What was said. A system message may ask for a tone, but answers come from documents alone."""
        return [
            Turn(role=message.role, content=message.content)
            for message in self.messages
            if message.role in ("user", "assistant")
        ]


class SearchRequest(_Body):
    """A bare search."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"query": "default sync interval", "top_k": 5, "knowledge_base": "default"}]}
    )

    query: Annotated[str, StringConstraints(min_length=1, max_length=8192, pattern=r"\S")]
    top_k: TopK | None = None
    knowledge_base: KnowledgeBase | None = None


class EmbeddingsRequest(_Body):
    """Texts to embed."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"model": EMBEDDING_MODEL, "input": ["first text", "second text"]}]}
    )

    model: str
    input: SaidText | Annotated[list[SaidText], Field(min_length=1, max_length=MOST_INPUTS)]
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: int | None = None


class TrialRequest(Trial):
    """A question put to a release that need not serve."""

    knowledge_base: KnowledgeBase


class Hit(BaseModel):
    """A chunk that was found."""

    document: str
    chunk_id: str
    text: str
    score: float = Field(description="0 to 1 within this search; not comparable between searches.")
    page: int | None
    title: str
    heading: str


class SearchResult(BaseModel):
    """Best first."""

    hits: list[Hit]


class Model(BaseModel):
    """A model that a request may name."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str = "nexus"


class ModelList(BaseModel):
    """The models that a request may name."""

    object: Literal["list"] = "list"
    data: list[Model]


class NexusDetails(BaseModel):
    """What this platform adds to the response."""

    release: str
    abstained: bool
    conversation_id: str
    knowledge_base: str
    timings: dict[str, float] = Field(
        description="Milliseconds of the steps; `first_token` and `total` from the start."
    )


class ChatCompletion(BaseModel):
    """A whole answer; OpenAI's fields, and ours."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[dict[str, Any]]
    citations: list[Citation]
    nexus: NexusDetails
    usage: dict[str, int]


class ErrorDetail(BaseModel):
    """What went wrong."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class ErrorBody(BaseModel):
    """Every error looks like this."""

    error: ErrorDetail
