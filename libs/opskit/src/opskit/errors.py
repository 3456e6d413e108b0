"""One body for every error: `{"error": {"message", "type", "param", "code"}}`, mapped to HTTP in one place.

A service draws its own tree under `NexusError` in its `errors.py` and hands `install_error_handlers` the status of
each class; the classes themselves know nothing of HTTP, because workers and command lines raise them too.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from opskit.request_context import REQUEST_ID_HEADER

log = structlog.get_logger(__name__)


class NexusError(Exception):
    """Base of every error we raise on purpose. `message` is written for the person who caused it."""

    code = "error"

    def __init__(self, message: str, *, param: str | None = None, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.retry_after = retry_after


class InvalidRequest(NexusError):
    """The request cannot be served as it is; the message says what to change."""

    code = "invalid_request"


class Unauthenticated(NexusError):
    """No key, or a key nobody knows."""

    code = "invalid_api_key"


class Forbidden(NexusError):
    """A known key without the scope this needs."""

    code = "insufficient_scope"


class NotFound(NexusError):
    """It does not exist, or it belongs to somebody else: the two look the same from outside."""

    code = "not_found"


class Conflict(NexusError):
    """It clashes with what is there already."""

    code = "conflict"


class TooLarge(NexusError):
    """More bytes than the limit."""

    code = "too_large"


class TooManyRequests(NexusError):
    """A limit of this key is used up; `retry_after` says for how many seconds."""

    code = "rate_limit_exceeded"


class Unavailable(NexusError):
    """A part this needs is down; trying again later is right."""

    code = "unavailable"


@dataclass(frozen=True)
class HttpError:
    """How an error class looks over HTTP."""

    status: int
    type: str


COMMON: Mapping[type[NexusError], HttpError] = {
    InvalidRequest: HttpError(400, "invalid_request_error"),
    Unauthenticated: HttpError(401, "authentication_error"),
    Forbidden: HttpError(403, "permission_error"),
    NotFound: HttpError(404, "not_found_error"),
    Conflict: HttpError(409, "conflict_error"),
    TooLarge: HttpError(413, "invalid_request_error"),
    TooManyRequests: HttpError(429, "rate_limit_error"),
    Unavailable: HttpError(503, "service_unavailable_error"),
}
DEFAULT_RETRY_AFTER_SECONDS = 2


def error_body(message: str, *, type: str, code: str | None = None, param: str | None = None) -> dict[str, object]:
    """The OpenAI error shape."""
    return {"error": {"message": message, "type": type, "param": param, "code": code}}


def error_response(error: NexusError, mapping: Mapping[type[NexusError], HttpError] = COMMON) -> JSONResponse:
    """The response for an error, by the nearest class in `mapping`; an unmapped one is ours to explain: 500."""
    http = next((mapping[c] for c in type(error).__mro__ if c in mapping), HttpError(500, "internal_error"))
    headers: dict[str, str] = {}
    if http.status in (429, 503):
        headers["retry-after"] = str(error.retry_after or DEFAULT_RETRY_AFTER_SECONDS)
    if http.status == 401:
        headers["www-authenticate"] = "Bearer"
    body = error_body(error.message, type=http.type, code=error.code, param=error.param)
    return JSONResponse(body, status_code=http.status, headers=headers)


def install_error_handlers(app: FastAPI, extra: Mapping[type[NexusError], HttpError] | None = None) -> None:
    """Map every error of the app to the one body. Unknown exceptions become a 500 that is logged with its trace."""
    mapping = {**COMMON, **(extra or {})}

    async def on_nexus(_: Request, exc: Exception) -> JSONResponse:
        assert isinstance(exc, NexusError)
        response = error_response(exc, mapping)
        if response.status_code >= 500:
            log.warning("request_failed", code=exc.code, message=exc.message, cause=repr(exc.__cause__))
        return response

    async def on_validation(_: Request, exc: Exception) -> JSONResponse:
        assert isinstance(exc, RequestValidationError)
        first = exc.errors()[0]
        param = ".".join(str(part) for part in first["loc"] if part not in ("body", "query", "path", "header"))
        if first["type"] == "json_invalid":
            message, param = "The body is not valid JSON.", ""
        else:
            message = f"{param or 'body'}: {first['msg']}"
        return JSONResponse(
            error_body(message, type="invalid_request_error", code="invalid_request", param=param or None), 400
        )

    async def on_http(_: Request, exc: Exception) -> JSONResponse:
        assert isinstance(exc, HTTPException)
        kind = "not_found_error" if exc.status_code == 404 else "invalid_request_error"
        return JSONResponse(error_body(str(exc.detail), type=kind), exc.status_code, headers=exc.headers)

    async def on_unknown(request: Request, exc: Exception) -> JSONResponse:
        log.error("unhandled_exception", path=request.url.path, exc_info=exc)
        # Starlette answers this one outside of all middleware, so the request id is added here.
        request_id = request.scope.get("state", {}).get("request_id")
        return JSONResponse(
            error_body("Something broke on our side; the log has the details.", type="internal_error"),
            500,
            headers={REQUEST_ID_HEADER: request_id} if request_id else None,
        )

    app.add_exception_handler(NexusError, on_nexus)
    app.add_exception_handler(RequestValidationError, on_validation)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(Exception, on_unknown)
