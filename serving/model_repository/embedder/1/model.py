"""The embedder as Triton calls it."""

import json
import os
import sys
from pathlib import Path
from typing import Any

# Triton's Python ignores PYTHONPATH; whoever starts the server says where our code and its packages are.
sys.path[:0] = os.environ["NEXUS_SERVING_PATH"].split(os.pathsep)

import numpy as np  # noqa: E402
import triton_python_backend_utils as triton  # noqa: E402
from nexus_serving.engines.embedder import Embedder  # noqa: E402


class TritonPythonModel:
    """Tensors to texts and back; the work is in `nexus_serving.engines.embedder`."""

    def initialize(self, args: dict[str, str]) -> None:
        parameters = json.loads(args["model_config"])["parameters"]
        self._embedder = Embedder(Path(parameters["model_folder"]["string_value"]))
        self._embedder.embed(["warm up"])

    def execute(self, requests: list[Any]) -> list[Any]:
        texts = [_texts(request) for request in requests]
        vectors, tokens = self._embedder.embed([text for group in texts for text in group])
        ends = np.cumsum([len(group) for group in texts])[:-1]
        parts = zip(np.split(vectors, ends), np.split(tokens, ends), strict=True)
        return [
            triton.InferenceResponse([triton.Tensor("EMBEDDING", rows), triton.Tensor("TOKENS", counts[:, None])])
            for rows, counts in parts
        ]


def _texts(request: Any) -> list[str]:
    raw = triton.get_input_tensor_by_name(request, "TEXT").as_numpy()
    return [text.decode("utf-8", "replace") for text in raw.reshape(-1)]
