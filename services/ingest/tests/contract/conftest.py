"""Real servers on loopback, each started once for the tests that need it."""

import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import grpc
import numpy as np
import pytest
from ingest.settings import Settings
from opskit.contracts.chunks import EMBEDDING_DIMENSION
from tritonclient.grpc import model_config_pb2, service_pb2, service_pb2_grpc
from tritonclient.utils import deserialize_bytes_tensor

REPOSITORY = Path(__file__).resolve().parents[4]
TOKENIZER = REPOSITORY / "models" / "reader" / "tokenizer.json"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, process: subprocess.Popen[bytes], *, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended at once"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on {port}")


@contextmanager
def server(*command: str, port: int, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
        try:
            wait_for_port(port, process)
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def milvus_server(folder: Path, port: int) -> Iterator[str]:
    program = str(Path(sys.executable).with_name("milvus-lite"))
    command = (program, "server", "--data-dir", str(folder / "milvus"), "--host", "127.0.0.1", "--port", str(port))
    with server(*command, port=port, log=folder / "milvus.log"):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="session")
def milvus_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with milvus_server(tmp_path_factory.mktemp("milvus"), free_port()) as url:
        yield url


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    threaded = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    threaded.start()
    host, port = threaded.get_host_and_port()
    yield f"{host}:{port}"
    threaded.stop()


@pytest.fixture
def s3_settings(s3_endpoint: str) -> Settings:
    return Settings(
        internal_token="an-internal-token-of-length",
        store="s3",
        s3_endpoint=s3_endpoint,
        s3_bucket=f"nexus-{uuid.uuid4().hex[:8]}",
        s3_access_key="key",
        s3_secret_key="secret-key",
        s3_secure=False,
    )


@pytest.fixture(scope="session")
def tokenizer() -> Path:
    return TOKENIZER


class TritonStandIn(service_pb2_grpc.GRPCInferenceServiceServicer):
    """Speaks Triton's protocol. Every vector points along its first axis, and the second holds a text's length."""

    def __init__(self) -> None:
        self.address = ""
        self.fail_next = 0
        self.size = EMBEDDING_DIMENSION
        self.fingerprint = "f" * 64
        self.seconds = 0.0
        self.working = self.most_at_once = self.served = 0
        self.texts: list[str] = []

    def ModelConfig(self, request, context):
        parameter = model_config_pb2.ModelParameter(string_value=self.fingerprint)
        config = model_config_pb2.ModelConfig(name=request.name, parameters={"fingerprint": parameter})
        return service_pb2.ModelConfigResponse(config=config)

    def ModelStatistics(self, request, context):
        count = service_pb2.StatisticDuration(count=self.served)
        statistics = service_pb2.ModelStatistics(
            name=request.name, inference_stats=service_pb2.InferStatistics(success=count)
        )
        return service_pb2.ModelStatisticsResponse(model_stats=[statistics])

    def ModelInfer(self, request, context):
        if self.fail_next:
            self.fail_next -= 1
            context.abort(grpc.StatusCode.UNAVAILABLE, "the model is being replaced")
        self.working += 1
        self.most_at_once = max(self.most_at_once, self.working)
        time.sleep(self.seconds)
        self.working -= 1
        self.served += 1
        texts = [text.decode() for text in deserialize_bytes_tensor(request.raw_input_contents[0])]
        self.texts += texts
        vectors = np.zeros((len(texts), self.size), dtype=np.float32)
        vectors[:, 0] = 1.0
        vectors[:, 1] = [len(text) / 100_000 for text in texts]
        output = service_pb2.ModelInferResponse.InferOutputTensor(
            name="EMBEDDING", datatype="FP32", shape=vectors.shape
        )
        return service_pb2.ModelInferResponse(outputs=[output], raw_output_contents=[vectors.tobytes()])


@pytest.fixture
def triton() -> Iterator[TritonStandIn]:
    stand_in = TritonStandIn()
    served = grpc.server(ThreadPoolExecutor(4))
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(stand_in, served)
    stand_in.address = f"127.0.0.1:{served.add_insecure_port('127.0.0.1:0')}"
    served.start()
    yield stand_in
    served.stop(None)


@pytest.fixture
def metrics_port() -> int:
    return free_port()


class RedisInMemory:
    """Redis that keeps nothing over a restart."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._port = folder, free_port()
        self._running = ExitStack()
        self.url = f"redis://127.0.0.1:{self._port}/1"

    def start(self) -> None:
        port = str(self._port)
        command = ("redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", str(self._folder))
        self._running.enter_context(server(*command, port=self._port, log=self._folder / "redis.log"))

    def stop(self) -> None:
        self._running.close()


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisInMemory]:
    redis = RedisInMemory(tmp_path)
    redis.start()
    yield redis
    redis.stop()


@pytest.fixture
def redis_url(redis_server: RedisInMemory) -> str:
    return redis_server.url
