"""What the OpenAPI page says of errors."""

from typing import Any

from trainer.schemas import ErrorBody

_MEANINGS = {
    400: "The request cannot be served as it is.",
    401: "An internal door: the gateway calls it.",
    404: "There is none, or it is another tenant's.",
    409: "Not now: another run is under way, or the release cannot become that.",
    503: "The database is away; `Retry-After` says when to try again.",
}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Error responses of a route; 400, 401 and 503 may always come."""
    return {status: {"model": ErrorBody, "description": _MEANINGS[status]} for status in (400, 401, *statuses, 503)}
