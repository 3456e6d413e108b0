"""The real tritonserver, started as `make up` starts it."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pytest
import tritonclient.grpc as grpc
import tritonclient.grpc.aio as grpc_aio
from opskit.contracts import reader as contract
from tritonclient.utils import InferenceServerException

pytestmark = [pytest.mark.contract, pytest.mark.timeout(240)]

SERVING = Path(__file__).resolve().parent.parent
CHECKOUT = SERVING.parent
SENTENCES = [
    "How often does it poll for changes?",
    "Release names are limited to 53 characters.",
    "The default is 120 seconds plus some jitter, and it can be changed in the settings of the controller. " * 8,
    "Ünïcödé and 日本語",
    "",
]


@dataclass(frozen=True)
class Server:
    process: subprocess.Popen[bytes]
    http_port: int
    grpc_port: int
    metrics_port: int

    @property
    def grpc_address(self) -> str:
        return f"127.0.0.1:{self.grpc_port}"

    def ready(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.http_port}/v2/health/ready", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def start(state: Path) -> Server:
    cache = os.environ.get("NEXUS_CACHE_DIR") or str(CHECKOUT / ".nexus" / "cache")
    environment = {**os.environ, "NEXUS_CACHE_DIR": cache, "NEXUS_STATE_DIR": str(state)}
    subprocess.run([sys.executable, SERVING / "prepare.py"], env=environment, check=True)
    http, grpc_port, metrics = free_ports(3)
    ports = ["--http-port", str(http), "--grpc-port", str(grpc_port), "--metrics-port", str(metrics)]
    with (state / "triton.log").open("wb") as log:
        command = [sys.executable, str(SERVING / "launch.py"), *ports]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    server = Server(process, http, grpc_port, metrics)
    deadline = time.monotonic() + 60
    while not server.ready():
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"tritonserver did not start:\n{(state / 'triton.log').read_text()[-3000:]}")
        time.sleep(0.1)
    return server


def processes_of(group: int) -> list[int]:
    found = subprocess.run(["pgrep", "-g", str(group)], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = start(tmp_path_factory.mktemp("state"))
    yield server
    os.killpg(server.process.pid, signal.SIGTERM)
    server.process.wait(30)


@pytest.fixture
def client(server: Server) -> Iterator[grpc.InferenceServerClient]:
    with grpc.InferenceServerClient(server.grpc_address) as client:
        yield client


def embed(client: grpc.InferenceServerClient, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    tensor = grpc.InferInput("TEXT", [len(texts), 1], "BYTES")
    tensor.set_data_from_numpy(np.array([[text.encode()] for text in texts], dtype=object))
    result = client.infer(contract.EMBEDDER_MODEL, [tensor])
    return result.as_numpy("EMBEDDING"), result.as_numpy("TOKENS")


def asked(body: bytes) -> list[grpc.InferInput]:
    tensor = grpc.InferInput("REQUEST", [1], "BYTES")
    tensor.set_data_from_numpy(np.array([body], dtype=object))
    return [tensor]


def request(question: str, *texts: str) -> bytes:
    passages = [
        contract.Passage(number=number, document="d.md", title="T", text=text) for number, text in enumerate(texts, 1)
    ]
    return contract.ReaderRequest(question=question, passages=passages).model_dump_json().encode()


async def stream(server: Server, body: bytes) -> list[contract.ReaderDelta | contract.ReaderResult]:
    async with grpc_aio.InferenceServerClient(server.grpc_address) as client:

        async def once():
            yield {"model_name": contract.READER_MODEL, "inputs": asked(body), "enable_empty_final_response": True}

        events, failed = [], None
        # To its end in any case: hanging up on a stream that Triton is just closing has brought the server down.
        async for result, error in client.stream_infer(once()):
            failed = failed or error
            event = result.as_numpy("EVENT") if error is None else None
            if event is not None:
                events.append(contract.READER_EVENT.validate_json(event[0]))
        if failed is not None:
            raise failed
        return events


class TestEmbedder:
    def test_vectors_are_close_to_full_precision(self, client: grpc.InferenceServerClient, tmp_path: Path):
        from nexus_serving.embedder_model import convert, fetch_weights
        from nexus_serving.engines.embedder import Embedder

        convert(fetch_weights(tmp_path, lambda line: None), tmp_path / "fp32", int8=False)
        reference, counts = Embedder(tmp_path / "fp32").embed(SENTENCES)
        vectors, tokens = embed(client, SENTENCES)
        assert vectors.shape == (len(SENTENCES), 384)
        likeness = (vectors * reference).sum(1)
        assert likeness[:-1].min() > 0.99
        assert likeness[-1] > 0.95, "an empty text has little to go by"
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-4)
        assert tokens[:, 0].tolist() == counts.tolist()

    def test_a_vector_does_not_depend_on_its_batch(self, client: grpc.InferenceServerClient):
        together, _ = embed(client, SENTENCES)
        alone = np.concatenate([embed(client, [sentence])[0] for sentence in SENTENCES])
        assert (together * alone).sum(1).min() > 0.9999

    def test_long_texts_are_read_to_256_tokens(self, client: grpc.InferenceServerClient):
        assert embed(client, ["word " * 1000])[1].tolist() == [[256]]

    def test_related_texts_are_closer_than_unrelated_ones(self, client: grpc.InferenceServerClient):
        texts = ["How do I install the tool?", "Installation of the tool", "Cats sleep a lot"]
        (ask, near, far), _ = embed(client, texts)
        assert ask @ near > ask @ far + 0.3

    def test_its_configuration_names_weights_and_conversion(self, client: grpc.InferenceServerClient):
        from nexus_serving.embedder_model import FINGERPRINT

        config = client.get_model_config(contract.EMBEDDER_MODEL, as_json=True)["config"]
        assert config["parameters"]["fingerprint"]["string_value"] == FINGERPRINT


class TestReader:
    async def test_it_streams_the_short_answer_then_the_support_then_the_result(self, server: Server):
        text = "They only work with Helm v3. Helm v2 support was dropped with v1.8.0."
        *deltas, result = await stream(server, request("In which release was Helm v2 support dropped?", text))
        assert [delta.text for delta in deltas] == ["v1.8.0.", ' "Helm v2 support was dropped with v1.8.0." [1]']
        assert isinstance(result, contract.ReaderResult)
        assert result.answer == "".join(delta.text for delta in deltas)
        support = result.supports[0]
        assert text[support.start : support.end] == "Helm v2 support was dropped with v1.8.0."
        assert result.usage.prompt_tokens > 0

    async def test_it_abstains(self, server: Server):
        *_, result = await stream(server, request("What is the default port of Redis?", "Cats sleep a lot."))
        assert isinstance(result, contract.ReaderResult)
        assert result.abstained
        assert not result.supports

    async def test_what_is_no_request_fails_alone(self, server: Server):
        with pytest.raises(InferenceServerException, match="not a reader request"):
            await stream(server, b"[1]")
        assert await stream(server, request("What?", "Words."))

    async def test_eight_at_once_are_all_answered(self, server: Server):
        texts = [f"Release {number} came in the year {2000 + number}." for number in range(8)]
        asks = [stream(server, request(f"In which year did release {n} come?", text)) for n, text in enumerate(texts)]
        results = [events[-1] for events in await asyncio.gather(*asks)]
        assert [result.short for result in results] == [str(2000 + number) for number in range(8)]

    async def test_a_client_that_leaves_stops_the_work(self, server: Server):
        words = "some words about nothing in particular, again and again. " * 40
        body = json.loads(request("What is it about?", *[words] * 40))
        body["limits"] = {"max_prompt_tokens": 100_000}
        started = time.monotonic()
        await stream(server, json.dumps(body).encode())
        whole = time.monotonic() - started
        async with grpc_aio.InferenceServerClient(server.grpc_address) as client:

            async def once():
                yield {"model_name": contract.READER_MODEL, "inputs": asked(json.dumps(body).encode())}

            call = client.stream_infer(once())
            waiting = asyncio.ensure_future(anext(aiter(call)))
            await asyncio.sleep(0.2)
            call.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        started = time.monotonic()
        await stream(server, request("What?", "Words."))
        assert time.monotonic() - started < whole / 2

    def test_its_configuration_names_the_weights(self, client: grpc.InferenceServerClient, reader_folder: Path):
        config = client.get_model_config(contract.READER_MODEL, as_json=True)["config"]
        digest = json.loads((reader_folder / "reader.json").read_text())["digest"]
        assert config["parameters"]["reader_digest"]["string_value"] == digest


class TestProcess:
    def test_metrics_are_served(self, server: Server, client: grpc.InferenceServerClient):
        embed(client, ["x"])
        metrics = httpx.get(f"http://127.0.0.1:{server.metrics_port}/metrics").text
        assert 'nv_inference_request_success{model="embedder",version="1"}' in metrics

    @pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGKILL])
    def test_it_ends_within_seconds_and_leaves_no_process(self, tmp_path: Path, by: signal.Signals):
        server = start(tmp_path)
        group = server.process.pid
        assert len(processes_of(group)) >= 4, "the server and a process for each instance"
        os.kill(server.process.pid, by)
        server.process.wait(15)
        deadline = time.monotonic() + 15
        while processes_of(group) and time.monotonic() < deadline:
            time.sleep(0.2)
        assert processes_of(group) == []
