"""The reader in Triton: a decoupled model, one request in, a stream of events out."""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, Final

import grpc  # type: ignore[import-untyped]
import numpy as np
import tritonclient.grpc.aio as triton
from opskit.contracts.reader import (
    FAILED,
    INVALID,
    READER_EVENT,
    ReaderDelta,
    ReaderRequest,
    ReaderResult,
)
from opskit.errors import InvalidRequest, Unavailable
from pydantic import ValidationError
from tritonclient.utils import InferenceServerException

from rag.errors import ReaderFailed

_AWAY: Final = ("unknown model", "is not ready", "not found", "no available versions")


class TritonReader:
    """Reads passages and answers."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def read(
        self, request: ReaderRequest, *, model: str, seconds: float
    ) -> AsyncGenerator[ReaderDelta | ReaderResult, None]:
        """Deltas, then one result. Closing the generator cancels the call, and with it the work.

        After the result, and after an error, the stream is read to its end: cancelling one that Triton is just closing
        has brought the whole server down (SIGSEGV in its gRPC handler).
        """
        stream = self._client.stream_infer(_once(request, model), stream_timeout=seconds)
        done, failed = False, None
        try:
            async for response, error in stream:
                if error is not None:
                    failed = failed or _named(error)
                elif not done and failed is None:
                    event = _event(response)
                    done = isinstance(event, ReaderResult)
                    yield event
            if failed is not None and not done:
                raise failed
            if not done:
                raise ReaderFailed("The reader ended without a result.")
        except grpc.RpcError as exc:
            if getattr(exc, "code", lambda: None)() == grpc.StatusCode.DEADLINE_EXCEEDED:
                raise ReaderFailed(f"The reader did not finish within {seconds:g} seconds.") from exc
            raise Unavailable("The reader in Triton cannot be reached.") from exc
        finally:
            stream.cancel()  # nothing to do where it has ended


async def _once(request: ReaderRequest, model: str) -> AsyncIterator[dict[str, Any]]:
    given = triton.InferInput("REQUEST", [1], "BYTES")
    given.set_data_from_numpy(np.array([request.model_dump_json().encode()], dtype=np.object_))
    yield {"model_name": model, "inputs": [given]}


def _event(response: Any) -> ReaderDelta | ReaderResult:
    raw = response.as_numpy("EVENT")
    try:
        return READER_EVENT.validate_json(bytes(raw.reshape(-1)[0]))
    except (AttributeError, IndexError, ValidationError) as exc:
        raise ReaderFailed("The reader said something that is not in its contract.") from exc


def _named(error: InferenceServerException) -> Exception:
    said = str(error.message())
    if INVALID in said:
        return InvalidRequest(said.partition(INVALID)[2])
    if FAILED not in said and any(word in said.lower() for word in _AWAY):
        return Unavailable("The reader in Triton is not loaded.")
    failed = ReaderFailed(said.partition(FAILED)[2] or "The reader failed.")
    failed.__cause__ = error
    return failed
