"""The image as it is run: as nobody in particular, with a read-only root. `NEXUS_TRITON_IMAGE=nexus/triton:0.1.0 pytest
serving/tests/test_image.py` after building it; other runs leave this out."""

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import tritonclient.grpc as grpc
import tritonclient.grpc.aio as grpc_aio
from nexus_serving.embedder_model import FINGERPRINT
from nexus_serving.layout import SHIPPED_READER
from nexus_serving.reader_model import Calibration, calibrate
from opskit.contracts import reader as contract

IMAGE = os.environ.get("NEXUS_TRITON_IMAGE", "")
STATE = "/var/lib/nexus/serving"
USER = 10014
TEXT = "They only work with Helm v3. Helm v2 support was dropped with v1.8.0."

pytestmark = [
    pytest.mark.contract,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not IMAGE, reason="NEXUS_TRITON_IMAGE names no image"),
]


def docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return (done.stdout + done.stderr).strip()


@dataclass
class Container:
    """A container whose state lies in a folder of ours, as it lies in a volume of the trainer's."""

    name: str
    state: Path

    @property
    def address(self) -> str:
        return docker("port", self.name, "8001").splitlines()[0].replace("0.0.0.0", "127.0.0.1")

    def until_healthy(self, seconds: float = 90) -> None:
        deadline = time.monotonic() + seconds
        while docker("inspect", "-f", "{{.State.Health.Status}}", self.name) != "healthy":
            assert docker("inspect", "-f", "{{.State.Running}}", self.name) == "true", docker("logs", self.name)[-3000:]
            assert time.monotonic() < deadline, docker("logs", self.name)[-3000:]
            time.sleep(0.5)

    def ask(self, question: str, model: str = contract.READER_MODEL) -> contract.ReaderResult:
        passage = contract.Passage(number=1, document="d.md", title="T", text=TEXT)
        body = contract.ReaderRequest(question=question, passages=[passage]).model_dump_json().encode()
        tensor = grpc.InferInput("REQUEST", [1], "BYTES")
        tensor.set_data_from_numpy(np.array([body], dtype=object))
        return asyncio.run(self._last_event(model, tensor))

    async def _last_event(self, model: str, tensor: grpc.InferInput) -> contract.ReaderResult:
        async with grpc_aio.InferenceServerClient(self.address) as client:

            async def once():
                yield {"model_name": model, "inputs": [tensor], "enable_empty_final_response": True}

            last = None
            async for result, error in client.stream_infer(once()):
                assert error is None, error
                event = result.as_numpy("EVENT")
                last = last if event is None else contract.READER_EVENT.validate_json(event[0])
        assert isinstance(last, contract.ReaderResult)
        return last


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Container]]:
    """Starts containers; all are gone at the end."""
    names: list[str] = []
    state = tmp_path / "state"
    state.mkdir()
    state.chmod(0o777)

    def run(*options: str) -> Container:
        names.append(f"nexus-image-test-{os.getpid()}-{len(names)}")
        docker(
            "run", "--detach", "--name", names[-1], "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL",
            "--security-opt", "no-new-privileges", "--user", f"{USER}:{USER}", "--shm-size", "128m",
            "--publish", "127.0.0.1::8001", "--volume", f"{state}:{STATE}", *options, IMAGE,
        )  # fmt: skip
        return Container(names[-1], state)

    yield run
    for name in names:
        subprocess.run(["docker", "rm", "-f", "-v", name], capture_output=True, check=False)


def test_embedder_and_reader_answer_without_any_set_up(start):
    triton = start()
    triton.until_healthy()
    with grpc.InferenceServerClient(triton.address) as client:
        config = client.get_model_config(contract.EMBEDDER_MODEL, as_json=True)["config"]
        tensor = grpc.InferInput("TEXT", [1, 1], "BYTES")
        tensor.set_data_from_numpy(np.array([["Ünïcödé".encode()]], dtype=object))
        vectors = client.infer(contract.EMBEDDER_MODEL, [tensor]).as_numpy("EMBEDDING")
    assert config["parameters"]["fingerprint"]["string_value"] == FINGERPRINT
    assert np.linalg.norm(vectors) == pytest.approx(1, abs=1e-4)
    assert triton.ask("In which release was Helm v2 support dropped?").short == "v1.8.0"


def test_a_reader_put_there_by_another_container_is_served_also_after_a_restart(start):
    triton = start()
    triton.until_healthy()
    shutil.copytree(SHIPPED_READER, triton.state / "r1" / "reader")
    calibrate(triton.state / "r1" / "reader", Calibration(-9.0))
    # As the trainer does it, in a container of its own that sees the same paths.
    add = (
        "from pathlib import Path; from nexus_serving import embedder_model, layout, more_readers; "
        "here = layout.Layout.from_environment(); "
        f"more_readers.add(here, 'reader_r1', Path('{STATE}/r1/reader'), embedder_model.embedder_folder(here))"
    )
    docker(
        "run", "--rm", "--read-only", "--user", f"{USER}:{USER}", "--volumes-from", triton.name,
        "--env", "PYTHONPATH=/opt/nexus/packages:/opt/nexus/serving", "--entrypoint", "python3", IMAGE, "-c", add,
    )  # fmt: skip
    with grpc.InferenceServerClient(triton.address) as client:
        client.load_model("reader_r1")
    question = "In which release was Helm v2 support dropped?"
    assert triton.ask(question, "reader_r1").short == "v1.8.0"
    docker("restart", triton.name)
    triton.until_healthy()
    assert triton.ask(question, "reader_r1").short == "v1.8.0"


def test_a_language_model_reads(start, tiny_model: Path):
    triton = start("--volume", f"{tiny_model}:/models/tiny.gguf:ro", "--tmpfs", f"/var/lib/nexus/cache:uid={USER}",
                   "--env", "NEXUS_MODEL=/models/tiny.gguf")  # fmt: skip
    triton.until_healthy()
    assert triton.ask("In which release was Helm v2 support dropped?").answer


def test_what_is_wrong_is_said_in_one_line(start):
    triton = start("--env", "NEXUS_MODEL=/models/none.gguf", "--tmpfs", f"/var/lib/nexus/cache:uid={USER}")
    assert docker("wait", triton.name) == "1"
    assert docker("logs", triton.name) == "serving: NEXUS_MODEL names /models/none.gguf, and there is no such file"
