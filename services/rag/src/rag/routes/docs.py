"""What the OpenAPI page says of errors."""

from typing import Any

from rag.schemas import ErrorBody

_MEANINGS = {
    400: "The request cannot be served as it is.",
    401: "An internal door: the gateway calls it.",
    404: "There is none, or it is another tenant's.",
    503: "A part is down or busy; `Retry-After` says when to try again.",
}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Error responses of a route; 401 and 503 may always come."""
    return {status: {"model": ErrorBody, "description": _MEANINGS[status]} for status in (*statuses, 401, 503)}
