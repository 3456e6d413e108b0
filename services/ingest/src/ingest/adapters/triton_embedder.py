"""The embedder in Triton, by the synchronous gRPC client: ingest works in threads."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import numpy as np
import tritonclient.grpc as triton
from opskit.contracts.chunks import EMBEDDING_DIMENSION
from opskit.contracts.reader import EMBEDDER_MODEL
from opskit.errors import Unavailable
from tritonclient.utils import InferenceServerException

from ingest.errors import BrokenVectors
from ingest.ports import Vectors

_CONFIG_SECONDS: Final = 3.0
_INFER_SECONDS: Final = 60.0
_TRIES: Final = 3
_AWAY: Final = ("UNAVAILABLE", "DEADLINE_EXCEEDED", "NOT_FOUND", "RESOURCE_EXHAUSTED", "CANCELLED")
_NOT_LOADED: Final = ("unknown model", "is not ready", "not found")

Answer = TypeVar("Answer")


class TritonEmbedder:
    """Texts to vectors."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._local = threading.local()  # the client does not promise to be safe between threads

    def fingerprint(self) -> str:
        """The model's own word for its weights and conversion; asked anew, because models are replaced at run time."""
        config = self._asked(
            lambda client: client.get_model_config(EMBEDDER_MODEL, as_json=True, client_timeout=_CONFIG_SECONDS)
        )
        parameters = config.get("config", {}).get("parameters", {})
        value = parameters.get("fingerprint", {}).get("string_value", "")
        if not value:
            raise Unavailable("The embedder in Triton does not say its fingerprint.")
        return str(value)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One request. Whoever calls keeps it small, so that a question is not stuck behind it."""
        given = triton.InferInput("TEXT", [len(texts), 1], "BYTES")
        given.set_data_from_numpy(np.array([[text.encode()] for text in texts], dtype=np.object_))
        wanted = [triton.InferRequestedOutput("EMBEDDING")]
        result = self._asked(
            lambda client: client.infer(EMBEDDER_MODEL, [given], outputs=wanted, client_timeout=_INFER_SECONDS)
        )
        vectors = result.as_numpy("EMBEDDING")
        if vectors is None or vectors.shape != (len(texts), EMBEDDING_DIMENSION):
            raise BrokenVectors("The embedder's answer has no vectors, or not of the right shape.")
        return np.asarray(vectors, dtype=np.float32)

    def _asked(self, question: Callable[[Any], Answer]) -> Answer:
        """Ask with a few tries: a model that is being replaced is away for a moment."""
        for attempt in range(1, _TRIES + 1):
            try:
                return question(self._client())
            except InferenceServerException as exc:
                if not _is_away(exc):
                    raise
                if attempt == _TRIES:
                    raise Unavailable(f"the embedder in Triton cannot be reached ({_status(exc)}).") from exc
            time.sleep(0.3 * attempt * random.uniform(0.7, 1.3))
        raise AssertionError("unreachable")

    def _client(self) -> Any:
        if not hasattr(self._local, "client"):
            self._local.client = triton.InferenceServerClient(self._address)
        return self._local.client


def _status(exc: InferenceServerException) -> str:
    return str(exc.status() or "no status").removeprefix("StatusCode.")


def _is_away(exc: InferenceServerException) -> bool:
    return _status(exc) in _AWAY or any(word in str(exc.message()) for word in _NOT_LOADED)
