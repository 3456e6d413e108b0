"""The extractive reader's scores of passages, as Triton calls for them."""

import json
import os
import sys
from pathlib import Path
from typing import Any

# Triton's Python ignores PYTHONPATH; whoever starts the server says where our code and its packages are.
sys.path[:0] = os.environ["NEXUS_SERVING_PATH"].split(os.pathsep)

import numpy as np  # noqa: E402
import triton_python_backend_utils as triton  # noqa: E402
from nexus_serving.engines.contract import InvalidRequest, ReaderRequest  # noqa: E402
from nexus_serving.engines.extractive import ExtractiveReader  # noqa: E402


class TritonPythonModel:
    """Requests to scores; the work is in `nexus_serving.engines.extractive`."""

    def initialize(self, args: dict[str, str]) -> None:
        parameters = json.loads(args["model_config"])["parameters"]
        self._reader = ExtractiveReader(Path(parameters["model_folder"]["string_value"]))

    def execute(self, requests: list[Any]) -> list[Any]:
        return [self._scored(request) for request in requests]

    def _scored(self, request: Any) -> Any:
        raw = triton.get_input_tensor_by_name(request, "REQUEST").as_numpy().reshape(-1)[0]
        try:
            scores = np.array(self._reader.scores(ReaderRequest.parse(raw)), np.float32)
        except InvalidRequest as error:
            return triton.InferenceResponse(error=triton.TritonError(str(error), triton.TritonError.INVALID_ARG))
        return triton.InferenceResponse([triton.Tensor("SCORES", scores)])
