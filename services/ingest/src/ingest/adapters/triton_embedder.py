"""The embedder in Triton, by the synchronous gRPC client: ingest works in threads.

The embedder has two instances. Ingest takes both while nobody else asks, and one as soon as somebody does; its requests
are small, so that a question never waits long for an instance.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import numpy as np
import tritonclient.grpc as triton
from opskit.contracts.chunks import EMBEDDING_DIMENSION
from opskit.contracts.reader import EMBEDDER_MODEL
from opskit.errors import Unavailable
from tritonclient.utils import InferenceServerException

from ingest.errors import BrokenVectors
from ingest.ports import Vectors
from ingest.yielding import OthersAtWork

TEXTS_A_REQUEST: Final = 4
"""More would be no faster (the model is bound by the processor), and would keep an instance busy for longer."""
_LONGEST_MESSAGE: Final = 64 * 1024 * 1024
_CHANNEL: Final = [
    ("grpc.max_send_message_length", _LONGEST_MESSAGE),
    ("grpc.max_receive_message_length", _LONGEST_MESSAGE),
    ("grpc.lb_policy_name", "round_robin"),  # of several servers behind the address, one after the other
]
_INSTANCES: Final = 2
_LOOK_SECONDS: Final = 0.25
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
        self._turn = threading.Condition()
        self._busy = 0
        self._own = 0
        self._others = OthersAtWork()
        self._looked_at = 0.0
        self._step_back = False

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
        """Small requests, one after the other."""
        parts = [texts[at : at + TEXTS_A_REQUEST] for at in range(0, len(texts), TEXTS_A_REQUEST)]
        return np.concatenate([self._embedded(part) for part in parts])

    def _embedded(self, texts: Sequence[str]) -> Vectors:
        given = triton.InferInput("TEXT", [len(texts), 1], "BYTES")
        given.set_data_from_numpy(np.array([[text.encode()] for text in texts], dtype=np.object_))
        wanted = [triton.InferRequestedOutput("EMBEDDING")]
        with self._instance():
            result = self._asked(
                lambda client: client.infer(EMBEDDER_MODEL, [given], outputs=wanted, client_timeout=_INFER_SECONDS)
            )
            with self._turn:
                self._own += 1
        vectors = result.as_numpy("EMBEDDING")
        if vectors is None or vectors.shape != (len(texts), EMBEDDING_DIMENSION):
            raise BrokenVectors("The embedder's answer has no vectors, or not of the right shape.")
        return np.asarray(vectors, dtype=np.float32)

    @contextmanager
    def _instance(self) -> Iterator[None]:
        """Wait for an instance that ingest may use now."""
        with self._turn:
            while self._busy >= (1 if self._busy and self._should_step_back() else _INSTANCES):
                self._turn.wait(_LOOK_SECONDS)
            self._busy += 1
        try:
            yield
        finally:
            with self._turn:
                self._busy -= 1
                self._turn.notify()

    def _should_step_back(self) -> bool:
        now = time.monotonic()
        if now - self._looked_at >= _LOOK_SECONDS:
            self._looked_at = now
            try:
                found = self._client().get_inference_statistics(EMBEDDER_MODEL, client_timeout=_CONFIG_SECONDS)
                total = sum(model.inference_stats.success.count for model in found.model_stats)
                self._step_back = self._others.note(total=total, own=self._own, now=now)
            except InferenceServerException:
                self._step_back = False  # the request itself will find out what is wrong
        return self._step_back

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
            self._local.client = triton.InferenceServerClient(self._address, channel_args=_CHANNEL)
        return self._local.client


def _status(exc: InferenceServerException) -> str:
    return str(exc.status() or "no status").removeprefix("StatusCode.")


def _is_away(exc: InferenceServerException) -> bool:
    return _status(exc) in _AWAY or any(word in str(exc.message()) for word in _NOT_LOADED)
