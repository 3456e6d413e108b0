"""Become Triton with its vLLM backend behind an OpenAI-compatible door, serving the model that NEXUS_VLLM_MODEL names.

Runs in NVIDIA's own image (`nvcr.io/nvidia/tritonserver:<tag>-vllm-python-py3`), whose Python has nothing of ours.
"""

import json
import os
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

FRONTEND: Final = Path("/opt/tritonserver/python/openai/openai_frontend/main.py")
CONFIG: Final = """\
# vLLM decides by itself on which GPUs it runs and how it batches; the backend adds inputs and outputs.
backend: "vllm"
instance_group [ { count: 1 kind: KIND_MODEL } ]
"""


class BadSetting(Exception):
    """The message says which, and what would do."""


@dataclass(frozen=True)
class Served:
    """One language model."""

    model: str
    """A repository of the Hugging Face hub, or a folder."""
    name: str
    """What clients call it."""
    engine: dict[str, Any]
    """vLLM's engine arguments."""
    port: int = 9000

    @classmethod
    def from_environment(cls, variables: Mapping[str, str]) -> "Served":
        """See README.md beside this file. Raises BadSetting."""
        model = variables.get("NEXUS_VLLM_MODEL", "").strip()
        if not model:
            raise BadSetting("NEXUS_VLLM_MODEL must name a repository of the Hugging Face hub, or a folder")
        name = variables.get("NEXUS_VLLM_NAME") or model.rstrip("/").rpartition("/")[2]
        if not re.fullmatch(r"[\w.-]+", name):
            raise BadSetting(f"NEXUS_VLLM_NAME={name} may have letters, digits and . _ - only")
        engine = {
            "model": model,
            "max_model_len": _number(variables, "NEXUS_MODEL_CONTEXT", 8192),
            "tensor_parallel_size": _number(variables, "NEXUS_VLLM_GPUS", 1),
            "gpu_memory_utilization": _share(variables, "NEXUS_VLLM_GPU_SHARE", 0.9),
            **_engine(variables),
        }
        return cls(model, name, engine, _number(variables, "NEXUS_VLLM_PORT", 9000))

    def command(self, repository: Path) -> list[str]:
        """The door with Triton in the same process."""
        return [
            sys.executable,
            str(FRONTEND),
            f"--model-repository={repository}",
            f"--tokenizer={self.engine.get('tokenizer', self.model)}",
            "--backend=vllm",
            f"--openai-port={self.port}",
            # Its default is 16 tokens, for clients that do not say how many they want.
            "--default-max-tokens=1024",
        ]


def write_repository(target: Path, served: Served) -> None:
    """A model repository with this model alone."""
    shutil.rmtree(target, ignore_errors=True)
    version = target / served.name / "1"
    version.mkdir(parents=True)
    (version / "model.json").write_text(json.dumps(served.engine, indent=2) + "\n")
    (target / served.name / "config.pbtxt").write_text(CONFIG)


def variables_for(cache: Path, inherited: Mapping[str, str]) -> dict[str, str]:
    """What is downloaded and compiled goes to the cache: it outlives the container, and may hold programs (a tmpfs may
    not); what is set already stays. A user without a name is given one: PyTorch asks for it."""
    return {
        "HF_HOME": str(cache / "huggingface"),
        "VLLM_CACHE_ROOT": str(cache / "vllm"),
        "TRITON_CACHE_DIR": str(cache / "triton"),
        "TORCHINDUCTOR_CACHE_DIR": str(cache / "torchinductor"),
        "USER": "nexus",
        **inherited,
    }


def _number(variables: Mapping[str, str], name: str, default: int) -> int:
    value = variables.get(name, "").strip()
    if value and (not value.isdigit() or int(value) < 1):
        raise BadSetting(f"{name}={value} is no number above 0")
    return int(value) if value else default


def _share(variables: Mapping[str, str], name: str, default: float) -> float:
    value = variables.get(name, "").strip()
    if value and not (re.fullmatch(r"[\d.]+", value) and value.count(".") < 2 and 0 < float(value) <= 1):
        raise BadSetting(f"{name}={value} is no number above 0 and up to 1")
    return float(value) if value else default


def _engine(variables: Mapping[str, str]) -> dict[str, Any]:
    try:
        more = json.loads(variables.get("NEXUS_VLLM_ENGINE") or "{}")
    except ValueError as error:
        raise BadSetting(f"NEXUS_VLLM_ENGINE is no JSON: {error}") from error
    if not isinstance(more, dict):
        raise BadSetting('NEXUS_VLLM_ENGINE must be a JSON object, like {"quantization": "awq"}')
    return more


def main() -> None:
    try:
        served = Served.from_environment(os.environ)
    except BadSetting as failure:
        sys.exit(f"vllm: {failure}")
    repository = Path(os.environ.get("NEXUS_STATE_DIR") or "/tmp") / "vllm" / "model_repository"  # noqa: S108
    write_repository(repository, served)
    cache = Path(os.environ.get("NEXUS_CACHE_DIR") or "/var/lib/nexus/cache")
    command = served.command(repository)
    os.execve(command[0], command, variables_for(cache, os.environ))


if __name__ == "__main__":
    main()
