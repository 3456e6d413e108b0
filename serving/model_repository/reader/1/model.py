"""A reader as Triton calls it."""

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

# Triton's Python ignores PYTHONPATH; whoever starts the server says where our code and its packages are.
sys.path[:0] = os.environ["NEXUS_SERVING_PATH"].split(os.pathsep)

import numpy as np  # noqa: E402
import triton_python_backend_utils as triton  # noqa: E402
from nexus_serving.engines.contract import FAILED, INVALID, InvalidRequest, ReaderFailed, ReaderRequest  # noqa: E402
from nexus_serving.engines.opening import open_reader  # noqa: E402


class TritonPythonModel:
    """Events to tensors; the work is in `nexus_serving.engines`."""

    def initialize(self, args: dict[str, str]) -> None:
        parameters = json.loads(args["model_config"])["parameters"]
        values = {name: one["string_value"] for name, one in parameters.items()}
        try:
            self._reader = open_reader(values, triton.Logger.log_warn)
        except ReaderFailed as error:
            raise triton.TritonModelException(str(error)) from None
        self._threads = ThreadPoolExecutor(self._reader.at_once) if self._reader.at_once > 1 else None

    def execute(self, requests: list[Any]) -> None:
        for request in requests:
            sender = request.get_response_sender()
            raw = triton.get_input_tensor_by_name(request, "REQUEST").as_numpy().reshape(-1)[0]
            if self._threads is None:
                self._stream(raw, sender)
            else:
                self._threads.submit(self._stream, raw, sender)

    def finalize(self) -> None:
        self._reader.close()

    @staticmethod
    def _fail(sender: Any, message: str, code: Any) -> None:
        sender.send(triton.InferenceResponse(error=triton.TritonError(message, code)))

    def _stream(self, raw: bytes, sender: Any) -> None:
        try:
            for event in self._reader.answer(ReaderRequest.parse(raw), sender.is_cancelled):
                sender.send(triton.InferenceResponse([triton.Tensor("EVENT", np.array([event.to_json()], object))]))
        except InvalidRequest as error:
            self._fail(sender, f"{INVALID}{error}", triton.TritonError.INVALID_ARG)
        except ReaderFailed as error:
            triton.Logger.log_error(f"reader failed: {error}")
            self._fail(sender, f"{FAILED}{error}", triton.TritonError.UNAVAILABLE)
        except Exception as error:  # noqa: BLE001 - the process's boundary: a bad request must not take others with it
            triton.Logger.log_error(f"reader failed: {error!r}")
            self._fail(sender, "the reader failed", triton.TritonError.INTERNAL)
        sender.send(flags=triton.TRITONSERVER_RESPONSE_COMPLETE_FINAL)
