"""The embedder in Triton."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import tritonclient.grpc.aio as triton
from opskit.contracts.chunks import EMBEDDING_DIMENSION
from opskit.contracts.reader import EMBEDDER_MODEL
from opskit.errors import Unavailable

from rag.adapters.triton import FAILURES
from rag.ports import Embedded

_TEXTS_A_REQUEST: Final = 8
"""Small, so that the next question never waits for more than one of them."""
_SECONDS: Final = 10.0


class TritonEmbedder:
    """Texts to vectors."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._many = asyncio.Lock()

    async def embed(self, texts: Sequence[str]) -> Embedded:
        """One vector for each text. Callers with many texts take turns with one of the embedder's instances, so that
        the other stays free for questions."""
        if len(texts) <= _TEXTS_A_REQUEST:
            return await self._embedded(texts)
        async with self._many:
            parts = [
                await self._embedded(texts[at : at + _TEXTS_A_REQUEST]) for at in range(0, len(texts), _TEXTS_A_REQUEST)
            ]
        return Embedded(
            np.concatenate([part.vectors for part in parts]), [count for part in parts for count in part.tokens]
        )

    async def _embedded(self, texts: Sequence[str]) -> Embedded:
        given = triton.InferInput("TEXT", [len(texts), 1], "BYTES")
        given.set_data_from_numpy(np.array([[text.encode("utf-8", "replace")] for text in texts], dtype=np.object_))
        try:
            result = await self._client.infer(EMBEDDER_MODEL, [given], client_timeout=_SECONDS)
        except FAILURES as exc:
            raise Unavailable("The embedder in Triton cannot be used.") from exc
        vectors, tokens = result.as_numpy("EMBEDDING"), result.as_numpy("TOKENS")
        if vectors is None or tokens is None or vectors.shape != (len(texts), EMBEDDING_DIMENSION):
            raise Unavailable("The embedder in Triton does not keep to its contract.")
        return Embedded(np.asarray(vectors, dtype=np.float32), [int(count) for count in tokens.reshape(-1)])
