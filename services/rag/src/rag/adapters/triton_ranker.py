"""The extractive reader in Triton as a judge of passages."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import tritonclient.grpc.aio as triton
from opskit.contracts.reader import RANKER_MODEL, Passage, ReaderRequest
from opskit.errors import Unavailable

from rag.adapters.triton import FAILURES

_SECONDS: Final = 10.0


class TritonRanker:
    """Scores passages."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def scores(self, question: str, texts: Sequence[str]) -> Sequence[float]:
        """One score for each text; the higher, the more likely it answers. Raises Unavailable."""
        passages = [Passage(number=n, document="", title="", text=text) for n, text in enumerate(texts, start=1)]
        request = ReaderRequest(question=question, passages=passages)
        given = triton.InferInput("REQUEST", [1], "BYTES")
        given.set_data_from_numpy(np.array([request.model_dump_json().encode()], dtype=np.object_))
        try:
            scores = (await self._client.infer(RANKER_MODEL, [given], client_timeout=_SECONDS)).as_numpy("SCORES")
        except FAILURES as exc:
            raise Unavailable("The ranker in Triton cannot be used.") from exc
        if scores is None or scores.shape != (len(texts),):
            raise Unavailable("The ranker in Triton does not keep to its contract.")
        return [float(score) for score in scores]
