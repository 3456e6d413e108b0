"""What rag and a reader in Triton say to each other, whatever engine the reader has.

The Triton model `reader` is decoupled. Input REQUEST (BYTES, [1]): a `ReaderRequest` as JSON. Output EVENT
(BYTES, [1]), many times: a `ReaderDelta` for each piece of text, then one `ReaderResult`, both as JSON, told apart by
`event`. The model's parameters `engine` and `reader_digest` name its kind and its weights. Cancelling the call stops
the work. An error's message begins with INVALID when the question is at fault, with FAILED when the rest of it is for
people; any other is not.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

READER_MODEL = "reader"
RANKER_MODEL = "ranker"
"""Triton model `ranker`, beside readers that write: input REQUEST (BYTES, [1]), a `ReaderRequest`; output SCORES (FP32,
[passages]), the higher the more likely the passage answers."""
INVALID = "invalid request: "
FAILED = "reader failed: "
EMBEDDER_MODEL = "embedder"
"""Triton model `embedder`: input TEXT (BYTES, [n, 1]); outputs EMBEDDING (FP32, [n, 384], unit length) and TOKENS
(INT32, [n, 1], tokens read of each text). The model's parameter `fingerprint` names weights and conversion."""


class Message(BaseModel):
    """Base of every message between services: frozen, and open to fields a newer peer adds."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Turn(Message):
    """One earlier message of the conversation."""

    role: Literal["user", "assistant"]
    content: str


class Passage(Message):
    """A numbered passage. `text` is verbatim document text; supports point into it."""

    number: int = Field(ge=1)
    document: str
    title: str
    heading: str = ""
    page: int | None = None
    text: str


class ReaderLimits(Message):
    """What a reader may spend."""

    max_prompt_tokens: int = Field(2048, ge=64)
    max_answer_tokens: int = Field(512, ge=1)


class ReaderRequest(Message):
    """A question over numbered passages. `prompt` is the release's prompt section, passed through unread."""

    question: str
    history: list[Turn] = []
    passages: list[Passage]
    limits: ReaderLimits = ReaderLimits()
    prompt: dict[str, str] = {}
    abstain_below: float | None = Field(None, description="No-answer threshold; None takes the reader's own.")


class Support(Message):
    """The half-open range [start, end) of characters of passage `passage` that supports the answer."""

    passage: int
    start: int
    end: int


class TokenUsage(Message):
    """Real token counts of the reader's own tokenizer."""

    prompt_tokens: int
    completion_tokens: int


class ReaderDelta(Message):
    """The next piece of the answer's wording."""

    event: Literal["delta"] = "delta"
    text: str


class ReaderResult(Message):
    """The end of an answer. `answer` is the whole wording (the deltas joined); `short` its shortest form.
    When `abstained`, there are no supports. `confidence` is 0..1."""

    event: Literal["result"] = "result"
    answer: str
    short: str
    supports: list[Support]
    abstained: bool
    confidence: float
    usage: TokenUsage


ReaderEvent = Annotated[ReaderDelta | ReaderResult, Field(discriminator="event")]
READER_EVENT: TypeAdapter[ReaderDelta | ReaderResult] = TypeAdapter(ReaderEvent)
