"""Real servers on loopback, each started once for the tests that need it."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest
from opskit.contracts.chunks import EMBEDDING_DIMENSION, FIELD, chunk_id, collection_name, document_id, scope
from opskit.lexical import lexical_text
from pymilvus import DataType, Function, FunctionType, MilvusClient
from rag.adapters.milvus import QUIET
from rag.ports import Served

REPOSITORY = Path(__file__).resolve().parents[4]
FINGERPRINT = "0123456789abcdef" * 4


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


class Server:
    """A process that can be killed and started again on its port."""

    def __init__(self, command: Sequence[str], port: int, log: Path, environment: dict[str, str] | None = None) -> None:
        self._command, self.port, self._log = list(command), port, log
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as out:
            self._process = subprocess.Popen(self._command, stdout=out, stderr=out, env=self._environment)
        wait_for_port(self.port, self._process)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None


@contextmanager
def running(server: Server) -> Iterator[Server]:
    server.start()
    try:
        yield server
    finally:
        server.stop()


class Models:
    """Says that the embedder of these tests is served."""

    async def current(self) -> Served:
        return Served("reader", FINGERPRINT)


def vector(axis: int) -> list[float]:
    values = np.zeros(EMBEDDING_DIMENSION, dtype=np.float32)
    values[axis] = 1.0
    return [float(value) for value in values]


class Index:
    """A Milvus with chunks as ingest writes them."""

    def __init__(self, server: Server, fingerprint: str = FINGERPRINT) -> None:
        self.server = server
        self.name = collection_name(fingerprint)
        self.url = f"http://127.0.0.1:{server.port}"
        self.models = Models()

    def _client(self) -> MilvusClient:
        return MilvusClient(self.url, grpc_options=QUIET)

    def create(self) -> None:
        client = self._client()
        name = self.name
        if client.has_collection(name):
            client.drop_collection(name)
        schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field(FIELD.ID, DataType.VARCHAR, is_primary=True, max_length=64)
        schema.add_field(FIELD.DOCUMENT_ID, DataType.VARCHAR, max_length=64)
        schema.add_field(FIELD.SCOPE, DataType.VARCHAR, max_length=200, is_partition_key=True)
        for field in (FIELD.DOCUMENT, FIELD.TITLE, FIELD.HEADING, FIELD.TEXT):
            schema.add_field(field, DataType.VARCHAR, max_length=8192)
        for field in (FIELD.GENERATION, FIELD.ORDINAL, FIELD.PAGE):
            schema.add_field(field, DataType.INT64)
        schema.add_field(
            FIELD.TERMS, DataType.VARCHAR, max_length=8192, enable_analyzer=True,
            analyzer_params={"tokenizer": "standard"},
        )  # fmt: skip
        schema.add_field(FIELD.DENSE, DataType.FLOAT_VECTOR, dim=EMBEDDING_DIMENSION)
        schema.add_field(FIELD.SPARSE, DataType.SPARSE_FLOAT_VECTOR)
        schema.add_function(
            Function(
                name="bm25",
                function_type=FunctionType.BM25,
                input_field_names=[FIELD.TERMS],
                output_field_names=[FIELD.SPARSE],
            )
        )
        indexes = client.prepare_index_params()
        indexes.add_index(FIELD.DENSE, index_type="FLAT", metric_type="IP")
        indexes.add_index(FIELD.SPARSE, index_type="SPARSE_INVERTED_INDEX", metric_type="BM25")
        client.create_collection(name, schema=schema, index_params=indexes, num_partitions=4)
        client.load_collection(name)
        client.close()

    def drop(self) -> None:
        client = self._client()
        client.drop_collection(self.name)
        client.close()

    def write(
        self, text: str, *, axis: int = 0, document: str = "faq.md", tenant: str = "acme", generation: int = 1,
        knowledge_base: str = "default", page: int = 0, dense: Sequence[float] | None = None,
    ) -> str:  # fmt: skip
        """Write a chunk whose vector is `dense`, or points along `axis`; returns its id."""
        of = document_id(tenant, knowledge_base, document)
        row = {
            FIELD.ID: chunk_id(of, text, "Heading", page),
            FIELD.DOCUMENT_ID: of,
            FIELD.SCOPE: scope(tenant, knowledge_base),
            FIELD.DOCUMENT: document,
            FIELD.GENERATION: generation,
            FIELD.ORDINAL: 0,
            FIELD.PAGE: page,
            FIELD.TITLE: "Title",
            FIELD.HEADING: "Heading",
            FIELD.TEXT: text,
            FIELD.TERMS: lexical_text(f"Title\nHeading\n{text}"),
            FIELD.DENSE: list(dense) if dense is not None else vector(axis),
        }
        client = self._client()
        client.upsert(self.name, [row])
        client.close()
        return str(row[FIELD.ID])

    def flush(self) -> None:
        client = self._client()
        client.flush(self.name)
        client.close()


def _milvus(folder: Path) -> Server:
    port = free_port()
    program = str(Path(sys.executable).with_name("milvus-lite"))
    command = (program, "server", "--data-dir", str(folder / "milvus"), "--host", "127.0.0.1", "--port", str(port))
    return Server(command, port, folder / "milvus.log")


@pytest.fixture(scope="session")
def milvus_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(_milvus(tmp_path_factory.mktemp("milvus"))) as server:
        yield server


@pytest.fixture
def index_of(milvus_server: Server) -> Callable[[str], Index]:
    """An index for another embedder."""

    def open_index(fingerprint: str) -> Index:
        index = Index(milvus_server, fingerprint)
        index.create()
        return index

    return open_index


@pytest.fixture
def index(milvus_server: Server) -> Index:
    index = Index(milvus_server)
    index.create()
    return index


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[Server]:
    port = free_port()
    command = ("redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path))
    with running(Server(command, port, tmp_path / "redis.log")) as server:
        yield server


@contextmanager
def _triton(folder: Path, **settings: str) -> Iterator[tuple[Server, int]]:
    """The real Triton, where serving/prepare.py has been run; gives it with its HTTP port, perhaps not ready yet."""
    cache = Path(os.environ.get("NEXUS_CACHE_DIR") or REPOSITORY / ".nexus" / "cache")
    if not (cache / "triton").is_dir():
        pytest.skip("Triton is not set up on this machine: run serving/prepare.py")
    http_port, grpc_port, metrics_port = free_port(), free_port(), free_port()
    command = (
        sys.executable, str(REPOSITORY / "serving" / "launch.py"), "--http-port", str(http_port),
        "--grpc-port", str(grpc_port), "--metrics-port", str(metrics_port),
    )  # fmt: skip
    environment = {**os.environ, **settings, "NEXUS_STATE_DIR": str(folder)}
    with running(Server(command, grpc_port, folder / "triton.log", environment)) as server:
        yield server, http_port


@pytest.fixture(scope="session")
def triton_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With the models that it serves by default."""
    with _triton(tmp_path_factory.mktemp("triton")) as (server, http_port):
        _wait_until_ready(http_port)
        yield server


@pytest.fixture(scope="session")
def llama_triton(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Iterator[Server]:
    """With a language model as the reader."""
    subprocess.run([sys.executable, str(REPOSITORY / "serving" / "prepare.py")],
                   env={**os.environ, "NEXUS_MODEL": str(tiny_model)}, check=True)  # fmt: skip
    with _triton(tmp_path_factory.mktemp("llama"), NEXUS_MODEL=str(tiny_model)) as (server, http_port):
        _wait_until_ready(http_port)
        yield server


@pytest.fixture
def broken_triton(tmp_path: Path, tiny_model: Path, llama_triton: Server) -> Iterator[Server]:
    """With a model of an architecture that llama.cpp does not know: it comes up without a reader."""
    model = tmp_path / "unknown.gguf"
    model.write_bytes(tiny_model.read_bytes().replace(b"llama", b"llamb"))
    with _triton(tmp_path, NEXUS_MODEL=str(model)) as (server, _):
        yield server


def _wait_until_ready(http_port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"http://127.0.0.1:{http_port}/v2/health/ready").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise TimeoutError("Triton did not become ready")


@pytest.fixture
def eventually():
    """Wait until something is so."""

    async def wait(condition, *, seconds: float = 10.0) -> None:
        deadline = time.monotonic() + seconds
        while not await condition():
            assert time.monotonic() < deadline, "it never became so"
            await asyncio.sleep(0.1)

    return wait
