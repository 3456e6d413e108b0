"""What the vLLM launcher writes and starts; the image itself needs a GPU and is not run here."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

_PATH = Path(__file__).resolve().parent.parent / "vllm_server" / "launch.py"
_spec = importlib.util.spec_from_file_location("vllm_launch", _PATH)
assert _spec is not None
assert _spec.loader is not None
launch = importlib.util.module_from_spec(_spec)
sys.modules["vllm_launch"] = launch
_spec.loader.exec_module(launch)

MODEL = {"NEXUS_VLLM_MODEL": "Qwen/Qwen2.5-7B-Instruct"}


def test_a_model_of_the_hub_becomes_a_repository_of_that_model(tmp_path: Path):
    served = launch.Served.from_environment(MODEL)
    launch.write_repository(tmp_path / "served", served)
    assert [folder.name for folder in (tmp_path / "served").iterdir()] == ["Qwen2.5-7B-Instruct"]
    assert json.loads((tmp_path / "served" / "Qwen2.5-7B-Instruct" / "1" / "model.json").read_text()) == {
        "model": "Qwen/Qwen2.5-7B-Instruct",
        "max_model_len": 8192,
        "tensor_parallel_size": 1,
        "gpu_memory_utilization": 0.9,
    }
    assert 'backend: "vllm"' in (tmp_path / "served" / "Qwen2.5-7B-Instruct" / "config.pbtxt").read_text()


def test_another_model_takes_the_place_of_the_one_before(tmp_path: Path):
    for name in ("one", "two"):
        launch.write_repository(tmp_path / "served", launch.Served.from_environment({**MODEL, "NEXUS_VLLM_NAME": name}))
    assert [folder.name for folder in (tmp_path / "served").iterdir()] == ["two"]


def test_the_door_gets_the_repository_the_tokenizer_and_its_port(tmp_path: Path):
    command = launch.Served.from_environment({**MODEL, "NEXUS_VLLM_PORT": "9100"}).command(tmp_path)
    assert command[1] == "/opt/tritonserver/python/openai/openai_frontend/main.py"
    assert {
        f"--model-repository={tmp_path}",
        "--tokenizer=Qwen/Qwen2.5-7B-Instruct",
        "--backend=vllm",
        "--openai-port=9100",
    } <= set(command)


def test_any_argument_of_the_engine_can_be_given_and_wins():
    more = {"quantization": "awq", "max_model_len": 4096}
    served = launch.Served.from_environment({**MODEL, "NEXUS_VLLM_ENGINE": json.dumps(more)})
    assert more.items() <= served.engine.items()


def test_what_is_downloaded_and_compiled_goes_to_the_cache_unless_it_is_said_otherwise():
    variables = launch.variables_for(Path("/cache"), {"HF_HOME": "/mine", "LD_LIBRARY_PATH": "/cuda"})
    assert variables["HF_HOME"] == "/mine"
    assert variables["LD_LIBRARY_PATH"] == "/cuda"
    assert variables["TRITON_CACHE_DIR"] == "/cache/triton"


def test_a_folder_is_served_under_its_name():
    assert launch.Served.from_environment({"NEXUS_VLLM_MODEL": "/models/mine/"}).name == "mine"


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("NEXUS_VLLM_MODEL", " ", "must name a repository"),
        ("NEXUS_VLLM_NAME", "a/b", "letters, digits"),
        ("NEXUS_VLLM_GPUS", "all", "no number above 0"),
        ("NEXUS_MODEL_CONTEXT", "0", "no number above 0"),
        ("NEXUS_VLLM_GPU_SHARE", "90%", "up to 1"),
        ("NEXUS_VLLM_GPU_SHARE", "1.5", "up to 1"),
        ("NEXUS_VLLM_ENGINE", "{", "no JSON"),
        ("NEXUS_VLLM_ENGINE", "[]", "JSON object"),
    ],
)
def test_a_bad_setting_is_named_with_what_would_do(variable: str, value: str, reason: str):
    with pytest.raises(launch.BadSetting, match=f"{variable}.*{reason}"):
        launch.Served.from_environment({**MODEL, variable: value})
