"""What every wire model shares."""

from typing import Annotated

from opskit.identity import NAME_PATTERN
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError


class Body(BaseModel):
    """Base of request bodies: no coercion of types; fields we do not know are left out of what is passed on."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    def passed_on(self) -> bytes:
        """The body for the service behind, holding only what was checked."""
        return self.model_dump_json(exclude_none=True).encode()


class Shown(BaseModel):
    """Base of models that only describe an answer."""

    model_config = ConfigDict(extra="allow")


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise PydanticCustomError("nul", "Text must not hold the NUL character.")
    return text


def _said_something(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank", "Must not be empty.")
    return text


Text = Annotated[str, AfterValidator(_without_nul)]
SaidText = Annotated[str, AfterValidator(_without_nul), AfterValidator(_said_something)]
KnowledgeBaseName = Annotated[
    str, Field(pattern=NAME_PATTERN, description="Lower case letters, digits and dashes.", examples=["default"])
]
TopK = Annotated[int, Field(ge=1, le=50, description="How many passages to fetch.")]


class ErrorDetail(BaseModel):
    """What went wrong."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class ErrorBody(BaseModel):
    """Every error looks like this, as in OpenAI's API."""

    error: ErrorDetail
