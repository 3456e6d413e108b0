"""What the OpenAPI page says of errors."""

from typing import Any

from alert_bridge.schemas import ErrorBody

_MEANINGS = {
    400: "The request cannot be served as it is; sending it again is useless.",
    401: "The token is missing or wrong.",
    413: "The message is too large.",
    503: "The database is away; sending the same again is right.",
}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Error responses of a route; 400, 401 and 503 may always come."""
    return {status: {"model": ErrorBody, "description": _MEANINGS[status]} for status in (400, 401, *statuses, 503)}
