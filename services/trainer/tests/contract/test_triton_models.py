"""Readers loaded into a real Triton while it answers."""

import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tritonclient.grpc as triton
from nexus_serving.layout import SHIPPED_READER, Layout
from nexus_serving.llama.environment import prepare_llama
from nexus_serving.llama.folder import ADAPTER, bare_model, write_folder
from nexus_serving.reader_model import Calibration, calibrate
from opskit.errors import Unavailable
from safetensors.numpy import save_file
from trainer.adapters.triton_models import TritonModels
from trainer.gguf_adapter import write_adapter

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

    def running(self, *, model: str = "extractive"):
        flags = ("--http-port", "--grpc-port", "--metrics-port")
        where = [text for flag, port in zip(flags, self.ports, strict=True) for text in (flag, str(port))]
        command = [sys.executable, str(REPOSITORY / "serving" / "launch.py"), *where]
        environment = {**os.environ, "NEXUS_STATE_DIR": str(self.layout.state), "NEXUS_CACHE_DIR": str(CACHE)}
        environment["NEXUS_MODEL"] = model
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


@pytest.fixture
def tuned(server: Triton, tiny_model: Path, tmp_path: Path) -> Path:
    """The tiny language model with an adapter that was not learnt but made up."""
    folder, config = tmp_path / "tuned", json.loads((tiny_model.with_suffix("") / "config.json").read_text())
    folder.mkdir()
    save_file(
        {
            "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight": np.ones((2, 64), np.float32),
            "base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight": np.ones((64, 2), np.float32),
        },
        tmp_path / "adapter_model.safetensors",
    )
    settings = {"lora_alpha": 2, "r": 2}
    plain = dict.fromkeys(("use_rslora", "use_dora", "modules_to_save", "rank_pattern", "alpha_pattern"))
    (tmp_path / "adapter_config.json").write_text(json.dumps({**plain, **settings}))
    write_adapter(tmp_path, config, folder / ADAPTER, name="made up")
    prepare_llama(server.layout, print)
    write_folder(folder, bare_model(replace(server.layout, model=str(tiny_model)), digest(SHIPPED_READER)))
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


def test_a_tuned_language_model_is_served_beside_its_own_base_and_under_no_other(server, tuned, tiny_model):
    server.layout = replace(server.layout, model=str(tiny_model))
    with server.running(model=str(tiny_model)):
        server.models.load("reader_tuned", tuned, digest(tuned))
        assert server.models.loaded() == {"reader_tuned"}
        assert server.digest_of("reader_tuned") == digest(tuned) != server.digest_of("reader")
    with server.running():
        assert server.models.loaded() == set()
        assert "reader_tuned is left out: it is for" in (server.folder / "triton.log").read_text()
        server.layout = replace(server.layout, model="extractive")
        with pytest.raises(Unavailable, match="reader_tuned cannot be served: it is for"):
            server.models.load("reader_tuned", tuned, digest(tuned))


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
