"""Single calls to the gateway, and what becomes of their answers: timed, typed, and every failure one of our own."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import httpx
from httpx_sse import SSEError
from pydantic import BaseModel, ValidationError

from ui.errors import Broken, GatewayError, Interrupted, Unreachable, of_status
from ui.metrics import CALLS

TIMEOUT = httpx.Timeout(20.0, connect=3.0)
STRANGE = "The gateway answered in a shape this chatbot does not understand."

Parsed = TypeVar("Parsed", bound=BaseModel)


def headers_for(api_key: str) -> dict[str, str]:
    """What every request carries."""
    return {"authorization": f"Bearer {api_key}", "user-agent": "nexus-ui"}


class Calls:
    """Speaks to one gateway with one key. Safe to share between sessions and threads."""

    def __init__(
        self, base_url: str, headers: Mapping[str, str], transport: httpx.MockTransport | httpx.HTTPTransport | None
    ) -> None:
        self._client = httpx.Client(base_url=base_url, headers=dict(headers), timeout=TIMEOUT, transport=transport)

    def close(self) -> None:
        """Close the pooled connections."""
        self._client.close()

    def make(self, operation: str, method: str, path: str, **options: Any) -> httpx.Response:
        """The successful response; anything else raises a `GatewayError`."""
        with named(operation):
            response = self._client.request(method, path, **options)
            if response.is_success:
                return response
            raise refusal(response)


@contextmanager
def named(operation: str) -> Iterator[None]:
    """Time a call under its name and turn what httpx raises into our own errors."""
    started, outcome = time.perf_counter(), "ok"
    try:
        yield
    except GatewayError as exc:
        outcome = type(exc).__name__
        raise
    except httpx.TimeoutException as exc:
        outcome = "Unreachable"
        raise Unreachable("The gateway did not answer in time.") from exc
    except SSEError as exc:
        outcome = "Broken"
        raise Broken("The gateway did not answer with a stream.") from exc
    except (httpx.ReadError, httpx.RemoteProtocolError) as exc:
        outcome = "Interrupted"
        raise Interrupted("The connection broke in the middle of the answer.") from exc
    except httpx.HTTPError as exc:
        outcome = "Unreachable"
        raise Unreachable("Nobody answers at the gateway's address.") from exc
    finally:
        CALLS.labels(operation, outcome).observe(time.perf_counter() - started)


def refusal(response: httpx.Response) -> GatewayError:
    """The error a response stands for, with the message of its body when it has our shape."""
    try:
        message = str(response.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        message = f"The gateway answered with status {response.status_code}."
    seconds = response.headers.get("retry-after", "")
    return of_status(response.status_code, message, int(seconds) if seconds.isdecimal() else None)


def one(kind: type[Parsed], response: httpx.Response) -> Parsed:
    """The value a response holds."""
    try:
        return kind.model_validate_json(response.content)
    except ValidationError as exc:
        raise Broken(STRANGE) from exc


def several(kind: type[Parsed], response: httpx.Response, name: str) -> Sequence[Parsed]:
    """The values a response lists under `name`."""
    try:
        return [kind.model_validate(item) for item in response.json()[name]]
    except (ValueError, KeyError, TypeError) as exc:  # pydantic's ValidationError is a ValueError
        raise Broken(STRANGE) from exc
