"""Chat completions: OpenAI's schema as far as answers from documents go, and a clear no for the rest."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from gateway.json_body import UNSUPPORTED
from gateway.schemas.base import Body, KnowledgeBaseName, Shown, Text, TopK

MAX_MESSAGES = 1000
MAX_TOKENS = 1_000_000


def _text_or_parts(content: Any) -> Any:
    if not isinstance(content, str | list):
        raise PydanticCustomError("content", "Content must be a string or a list of text parts.")
    return content


def _only_text(kind: Any) -> Any:
    if isinstance(kind, str) and kind != "text":
        raise PydanticCustomError(UNSUPPORTED, "Only text parts are supported; this model reads no images or sound.")
    return kind


def _known_role(role: Any) -> Any:
    if role in ("tool", "function"):
        raise PydanticCustomError(UNSUPPORTED, "Tool messages are not supported; this model calls no tools.")
    return role


class TextPart(Body):
    """A piece of a message."""

    type: Annotated[Literal["text"], BeforeValidator(_only_text)]
    text: Text


class ChatMessage(Body):
    """One message. Answers come from the documents; a system message may set the tone but not the facts."""

    role: Annotated[Literal["system", "developer", "user", "assistant"], BeforeValidator(_known_role)]
    content: Annotated[Text | list[TextPart], BeforeValidator(_text_or_parts)]

    def text(self) -> str:
        """What was said."""
        return self.content if isinstance(self.content, str) else "".join(part.text for part in self.content)


class NexusOptions(Body):
    """What this platform adds to OpenAI's request."""

    conversation_id: str | None = Field(
        None, pattern=r"^[A-Za-z0-9_-]{1,128}$", description="Continue this conversation; its history is kept for you."
    )
    knowledge_base: KnowledgeBaseName | None = None
    top_k: TopK | None = None


class StreamOptions(Body):
    """Options of a streamed answer."""

    include_usage: bool | None = None


def _refuse(what: str, *harmless: Any) -> AfterValidator:
    """Refuse a parameter unless its value changes nothing."""

    def check(value: Any) -> None:
        if value is None or any(value == allowed and type(value) is type(allowed) for allowed in harmless):
            return
        raise PydanticCustomError(UNSUPPORTED, f"{what} not supported here; leave it out.")

    return AfterValidator(check)


def _left_out() -> Any:
    return Field(None, exclude=True, description="Not supported: only a value that changes nothing is taken.")


Penalty = Annotated[float, Field(ge=-2, le=2)]
TokenLimit = Annotated[int, Field(ge=1, le=MAX_TOKENS)]


class ChatRequest(Body):
    """A question over your documents, in OpenAI's words."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "model": "nexus",
                    "messages": [{"role": "user", "content": "How long is the default scrape interval?"}],
                    "stream": False,
                    "nexus": {"knowledge_base": "default"},
                }
            ]
        }
    )

    model: Text = Field(min_length=1, max_length=256, description="`nexus` answers from your documents.")
    messages: list[ChatMessage] = Field(min_length=1, max_length=MAX_MESSAGES)
    stream: bool | None = Field(None, description="Server-sent events, ended by `[DONE]`.")
    stream_options: StreamOptions | None = None
    nexus: NexusOptions | None = None

    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, ge=0, le=1)
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    max_tokens: TokenLimit | None = None
    max_completion_tokens: TokenLimit | None = None
    seed: int | None = Field(None, ge=-(2**63), lt=2**63)
    stop: Text | Annotated[list[Text], Field(max_length=4)] | None = None
    user: Annotated[Text, Field(max_length=512)] | None = None

    n: Annotated[Any, _refuse("More than one answer per question (n) is", 1)] = _left_out()
    tools: Annotated[Any, _refuse("Tool calling (tools) is", [])] = _left_out()
    tool_choice: Annotated[Any, _refuse("Tool calling (tool_choice) is", "none", "auto")] = _left_out()
    functions: Annotated[Any, _refuse("Function calling (functions) is", [])] = _left_out()
    function_call: Annotated[Any, _refuse("Function calling (function_call) is", "none", "auto")] = _left_out()
    response_format: Annotated[Any, _refuse("A response_format other than text is", {"type": "text"})] = _left_out()
    logprobs: Annotated[Any, _refuse("Token probabilities (logprobs) are", False)] = _left_out()
    top_logprobs: Annotated[Any, _refuse("Token probabilities (top_logprobs) are", 0)] = _left_out()
    logit_bias: Annotated[Any, _refuse("A logit_bias is", {})] = _left_out()
    modalities: Annotated[Any, _refuse("A modality other than text is", ["text"])] = _left_out()
    audio: Annotated[Any, _refuse("Sound (audio) is")] = _left_out()

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        asked = next((m for m in reversed(self.messages) if m.role == "user"), None)
        if asked is None:
            raise PydanticCustomError("no_question", "messages: There is no message with the role user.")
        if not asked.text().strip():
            raise PydanticCustomError("no_question", "messages: The last user message is empty; ask something.")
        if self.stream_options is not None and not self.stream:
            raise PydanticCustomError("stream_options", "stream_options: Only allowed when stream is true.")
        return self


class CitationShown(Shown):
    """A passage the answer rests on."""

    index: int = Field(description="The number shown as [n] in the answer.")
    document: str
    title: str
    quote: str = Field(description="Verbatim text of the document.")
    chunk_id: str
    score: float
    page: int | None = None


class NexusDetails(Shown):
    """What this platform adds to OpenAI's response."""

    release: str
    abstained: bool = Field(description="The documents do not hold the answer, and nothing is cited.")
    conversation_id: str | None = None
    knowledge_base: str
    timings: dict[str, float] = Field(default_factory=dict)


class AnswerMessage(Shown):
    """The answer's wording."""

    role: Literal["assistant"]
    content: str


class Choice(Shown):
    """There is always exactly one."""

    index: int
    message: AnswerMessage
    finish_reason: str


class Usage(Shown):
    """Real token counts."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class ChatCompletion(Shown):
    """A whole answer. `id` is the answer id that feedback refers to."""

    id: str = Field(examples=["ans_4f1c2b7d9a"])
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[Choice]
    usage: Usage
    citations: list[CitationShown]
    nexus: NexusDetails
