"""Texts to unit vectors."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from nexus_serving.engines.inference import length_buckets, open_session, padded

MAX_TOKENS = 256
BATCH_TOKENS = 2048
"""Padded tokens in one pass: larger ones are no faster and make a waiting query wait longer."""


class Embedder:
    """The embedding model in `folder` (`model.onnx`, `tokenizer.json`)."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._session = open_session(folder / "model.onnx", threads)

    def embed(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        """A unit vector for each text, and the number of tokens read of it."""
        encodings = self._tokenizer.encode_batch_fast(list(texts))
        rows = [encoding.ids for encoding in encodings]
        lengths = [len(row) for row in rows]
        vectors: NDArray[np.float32] | None = None
        for bucket in length_buckets(lengths, BATCH_TOKENS):
            made = self._session.run(None, padded([rows[row] for row in bucket]))[0]
            if vectors is None:
                vectors = np.empty((len(rows), made.shape[1]), np.float32)
            vectors[bucket] = made
        assert vectors is not None, "Triton never sends an empty batch"
        return vectors, np.asarray(lengths, np.int32)
