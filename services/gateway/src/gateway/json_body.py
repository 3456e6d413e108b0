"""From the bytes of a request to a checked model, with one clear reason when they are not one.

FastAPI's own body parsing is not used: it reads before the key is checked, has no cap, and takes NaN, endless nesting
and lone surrogates, which break whoever meets them next. orjson refuses all of these.
"""

from collections.abc import AsyncIterator, Iterable
from typing import Any, TypeVar

import orjson
from opskit.errors import InvalidRequest, TooLarge
from pydantic import BaseModel, ValidationError

from gateway.errors import Unsupported

Model = TypeVar("Model", bound=BaseModel)

UNSUPPORTED = "unsupported"
"""The type of a PydanticCustomError for something OpenAI has and we do not."""


def parse(body: bytes, model: type[Model]) -> Model:
    """The body as `model`, or InvalidRequest."""
    if not body.strip():
        raise InvalidRequest("The body is empty; send a JSON object.")
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as exc:
        raise InvalidRequest(f"The body is not valid JSON: {exc}.") from exc
    if not isinstance(value, dict):
        raise InvalidRequest("The body must be a JSON object.")
    try:
        return model.model_validate(value, strict=True)
    except ValidationError as exc:
        raise _explained(exc) from exc


def declared_length(content_length: str | None) -> int | None:
    """The length a request declares, None when it declares none."""
    if content_length is None:
        return None
    if not (content_length.isascii() and content_length.isdigit()) or len(content_length) > 18:
        raise InvalidRequest("The header Content-Length is not a length.")
    return int(content_length)


def too_large(what: str, limit: int) -> TooLarge:
    """The refusal of a body over its limit."""
    return TooLarge(f"{what} is larger than the {limit} bytes allowed.")


async def read_capped(chunks: AsyncIterator[bytes], *, declared: int | None, limit: int) -> bytes:
    """The whole body, given up as soon as it is known to exceed `limit`."""
    if declared is not None and declared > limit:
        raise too_large("The body", limit)
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > limit:
            raise too_large("The body", limit)
    return bytes(body)


def _explained(exc: ValidationError) -> InvalidRequest:
    errors = exc.errors(include_url=False, include_context=False, include_input=False)
    # Of a union's complaints, the one that got furthest into the value is about the variant that was meant.
    error = max(errors, key=lambda e: len(e["loc"]))
    param = ".".join(_field_names(error["loc"])) or None
    message = error["msg"]
    if error["type"] == UNSUPPORTED:
        return Unsupported(message, param=param)
    return InvalidRequest(f"{param}: {message}" if param else message, param=param)


def _field_names(location: Iterable[Any]) -> list[str]:
    """The location without pydantic's own marks for the variants of a union, such as `list[TextPart]`."""
    return [str(part) for part in location if isinstance(part, int) or (str(part).isidentifier() and part != "str")]
