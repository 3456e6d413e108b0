"""Readers loaded into a real Triton while it answers."""

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tritonclient.grpc as triton
from nexus_serving.layout import SHIPPED_READER, Layout
from nexus_serving.reader_model import Calibration, calibrate
from opskit.errors import Unavailable
from trainer.adapters.triton_models import TritonModels

pytestmark = pytest.mark.contract

REPOSITORY = Path(__file__).resolve().parents[4]
CACHE = Path(os.environ.get("NEXUS_CACHE_DIR") or REPOSITORY / ".nexus" / "cache")


class Triton:
    """A server that can be started again with the same state."""

    def __init__(self, folder: Path, ports: list[int], serve: Callable[..., Any]) -> None:
        self.folder, self.ports, self._serve = folder, ports, serve
        self.layout = Layout(cache=CACHE.resolve(), state=(folder / "state").resolve())

    @property
    def models(self) -> TritonModels:
        return TritonModels(f"127.0.0.1:{self.ports[1]}", self.layout)

    def running(self):
        flags = ("--http-port", "--grpc-port", "--metrics-port")
        where = [text for flag, port in zip(flags, self.ports, strict=True) for text in (flag, str(port))]
        command = [sys.executable, str(REPOSITORY / "serving" / "launch.py"), *where]
        environment = {**os.environ, "NEXUS_STATE_DIR": str(self.layout.state), "NEXUS_CACHE_DIR": str(CACHE)}
        environment.pop("NEXUS_MODEL", None)
        return self._serve(command, self.ports[0], self.folder / "triton.log", environment, ready="/v2/health/ready")

    def digest_of(self, model: str) -> str:
        with triton.InferenceServerClient(f"127.0.0.1:{self.ports[1]}") as client:
            config = client.get_model_config(model, as_json=True)["config"]
        return str(config["parameters"]["reader_digest"]["string_value"])


@pytest.fixture
def server(tmp_path: Path, ports: list[int], serve: Callable[..., Any]) -> Triton:
    if not (CACHE / "triton").is_dir():
        pytest.skip("Triton is not set up on this machine: run serving/prepare.py")
    return Triton(tmp_path, ports, serve)


@pytest.fixture
def reader(tmp_path: Path) -> Path:
    """The shipped reader with another threshold: another reader, by its digest."""
    folder = tmp_path / "other"
    shutil.copytree(SHIPPED_READER, folder)
    calibrate(folder, Calibration(-9.0))
    return folder


def digest(folder: Path) -> str:
    return str(json.loads((folder / "reader.json").read_text())["digest"])


def test_a_reader_is_served_beside_the_first_also_after_a_restart_until_it_is_unloaded(server, reader):
    with server.running():
        server.models.load("reader_other", reader, digest(reader))
        server.models.load("reader_other", reader, digest(reader))
        assert server.models.loaded() == {"reader_other"}
        assert server.digest_of("reader_other") == digest(reader) != server.digest_of("reader")
    with server.running():
        assert server.models.loaded() == {"reader_other"}, "it is loaded again with the server"
        server.models.unload("reader_other")
        server.models.unload("reader_other")
        assert server.models.loaded() == set()
        assert server.digest_of("reader") == digest(SHIPPED_READER)
    with server.running():
        assert server.models.loaded() == set()


def test_what_cannot_be_loaded_is_refused_and_harms_nobody(server, reader, tmp_path):
    with server.running():
        with pytest.raises(Unavailable, match="another reader"):
            server.models.load("reader_wrong", reader, "0" * 64)
        (reader / "model.onnx").write_bytes((reader / "model.onnx").read_bytes()[:1_000_000])
        with pytest.raises(Unavailable, match="Triton"):
            server.models.load("reader_cut", reader, digest(reader))
        assert server.models.loaded() == set()
        assert server.digest_of("reader") == digest(SHIPPED_READER)
    with server.running():
        assert server.models.loaded() == set(), "it is not tried again at the next start"


def test_a_triton_that_is_away_is_said_to_be(server, reader):
    with pytest.raises(Unavailable, match="Triton"):
        server.models.loaded()
    with pytest.raises(Unavailable, match="Triton"):
        server.models.load("reader_other", reader, digest(reader))
