"""What the documentation says of every route alike: how it answers well, and how errors look."""

from typing import Any

from pydantic import BaseModel

from gateway.schemas.base import ErrorBody

_MEANING = {
    400: "The request is wrong; the message says where.",
    401: "No key, or an unknown or revoked one.",
    403: "The key lacks the scope.",
    404: "It does not exist, or it is not yours.",
    409: "It clashes with what is there.",
    413: "The body is larger than allowed.",
    429: "The key's rate is used up; `Retry-After` says when to come back.",
    503: "A service is down or the gateway is full; `Retry-After` says when to come back.",
}
_EVERYWHERE = (400, 401, 403, 429, 503)


def answers(
    model: type[BaseModel] | None = None, *, status: int = 200, errors: tuple[int, ...] = (), description: str = "Done."
) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route whose success is `model` with `status`."""
    success: dict[str, Any] = {"description": description}
    if model is not None:
        success["model"] = model
    found: dict[int | str, dict[str, Any]] = {status: success}
    for code in sorted({*_EVERYWHERE, *errors}):
        found[code] = {"model": ErrorBody, "description": _MEANING[code]}
    return found


def json_request(model: type[BaseModel], *, required: bool = True) -> dict[str, Any]:
    """The `openapi_extra` of a route that reads its body itself. `gateway.openapi` adds the schema."""
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"requestBody": {"required": required, "content": {"application/json": {"schema": schema}}}}
