"""The embedder's client against a server that speaks Triton's protocol."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest
from ingest.adapters.triton_embedder import TritonEmbedder
from ingest.errors import BrokenVectors
from opskit.contracts.chunks import EMBEDDING_DIMENSION
from opskit.errors import Unavailable
from tritonclient.grpc import model_config_pb2, service_pb2, service_pb2_grpc
from tritonclient.utils import deserialize_bytes_tensor

pytestmark = pytest.mark.contract


class Servicer(service_pb2_grpc.GRPCInferenceServiceServicer):
    """Answers with the number of characters in the first place of each vector."""

    def __init__(self) -> None:
        self.fail_next = 0
        self.size = EMBEDDING_DIMENSION
        self.fingerprint = "f" * 64

    def ModelConfig(self, request, context):
        parameter = model_config_pb2.ModelParameter(string_value=self.fingerprint)
        config = model_config_pb2.ModelConfig(name=request.name, parameters={"fingerprint": parameter})
        return service_pb2.ModelConfigResponse(config=config)

    def ModelInfer(self, request, context):
        if self.fail_next:
            self.fail_next -= 1
            context.abort(grpc.StatusCode.UNAVAILABLE, "the model is being replaced")
        texts = deserialize_bytes_tensor(request.raw_input_contents[0])
        vectors = np.zeros((len(texts), self.size), dtype=np.float32)
        vectors[:, 0] = [len(text.decode()) for text in texts]
        output = service_pb2.ModelInferResponse.InferOutputTensor(
            name="EMBEDDING", datatype="FP32", shape=vectors.shape
        )
        return service_pb2.ModelInferResponse(outputs=[output], raw_output_contents=[vectors.tobytes()])


@pytest.fixture
def servicer() -> Servicer:
    return Servicer()


@pytest.fixture
def embedder(servicer: Servicer) -> Iterator[TritonEmbedder]:
    server = grpc.server(ThreadPoolExecutor(4))
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield TritonEmbedder(f"127.0.0.1:{port}")
    server.stop(None)


def test_texts_become_vectors_in_order(embedder):
    assert embedder.embed(["a", "bbb", "ü😀"])[:, 0].tolist() == [1, 3, 2]


def test_the_fingerprint_is_the_models_own_word_each_time(embedder, servicer):
    assert embedder.fingerprint() == "f" * 64
    servicer.fingerprint = "e" * 64
    assert embedder.fingerprint() == "e" * 64


def test_a_short_absence_is_waited_out(embedder, servicer):
    servicer.fail_next = 2
    assert embedder.embed(["a"]).shape == (1, EMBEDDING_DIMENSION)


def test_a_longer_one_is_unavailable(embedder, servicer):
    servicer.fail_next = 99
    with pytest.raises(Unavailable):
        embedder.embed(["a"])


def test_vectors_of_another_size_are_refused(embedder, servicer):
    servicer.size = 7
    with pytest.raises(BrokenVectors):
        embedder.embed(["a"])


def test_a_model_without_fingerprint_is_unavailable(embedder, servicer):
    servicer.fingerprint = ""
    with pytest.raises(Unavailable):
        embedder.fingerprint()


def test_a_server_that_is_away_is_unavailable():
    with pytest.raises(Unavailable):
        TritonEmbedder("127.0.0.1:1").fingerprint()
