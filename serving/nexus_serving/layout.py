"""Where things lie on disk. The only reader of the environment in this folder."""

import os
from dataclasses import dataclass
from pathlib import Path

HOME = Path(os.environ.get("NEXUS_HOME") or Path(__file__).resolve().parents[2])
"""The checkout; in an image `NEXUS_HOME`, a folder with the same parts at the same places (see serving/README.md)."""

SERVING = HOME / "serving"
MODEL_REPOSITORY = SERVING / "model_repository"
REQUIREMENTS = SERVING / "requirements-triton.txt"
LLAMA_REQUIREMENTS = SERVING / "requirements-llama.txt"
GROUNDING = HOME / "libs" / "grounding" / "src"
SHIPPED_READER = HOME / "models" / "reader"


class SetUpFailed(Exception):
    """Serving cannot be set up on this machine; the message says what to do, in one line."""


@dataclass(frozen=True)
class Layout:
    """The folders of one stack: `cache` may be shared between stacks, `state` is one stack's own, and what
    an image was built with lies in `home`. `system_triton` is where the server lies on a machine that brings one."""

    cache: Path
    state: Path
    model: str = "extractive"
    model_context: int | None = None
    model_slots: int | None = None
    model_threads: int = 2
    home: Path = HOME
    system_triton: Path | None = None

    @classmethod
    def from_environment(cls) -> "Layout":
        """`NEXUS_CACHE_DIR` and `NEXUS_STATE_DIR`, by default under `.nexus/` of the checkout; `NEXUS_SYSTEM_TRITON`;
        `NEXUS_MODEL` and, for language models, `NEXUS_MODEL_CONTEXT`, `_SLOTS` and `_THREADS`. Raises SetUpFailed."""
        state = Path(os.environ.get("NEXUS_STATE_DIR") or HOME / ".nexus")
        cache = Path(os.environ.get("NEXUS_CACHE_DIR") or HOME / ".nexus" / "cache")
        return cls(
            cache=cache.resolve(),
            state=state.resolve(),
            model=os.environ.get("NEXUS_MODEL") or "extractive",
            model_context=_number("NEXUS_MODEL_CONTEXT"),
            model_slots=_number("NEXUS_MODEL_SLOTS"),
            model_threads=_number("NEXUS_MODEL_THREADS") or len(os.sched_getaffinity(0)),
            system_triton=Path(system) if (system := os.environ.get("NEXUS_SYSTEM_TRITON")) else None,
        )

    @property
    def triton(self) -> Path:
        """The environment that tritonserver and its Python models run in."""
        return self.cache / "triton"

    @property
    def embedder(self) -> Path:
        """Converted embedders, one folder a fingerprint."""
        return self.cache / "embedder"

    @property
    def built_in_embedder(self) -> Path:
        """Like `embedder`, made when an image was built: looked at first. A checkout has none."""
        return self.home / "models" / "embedder"

    @property
    def built_in_llama(self) -> Path:
        """llama.cpp's environment of an image."""
        return self.home / "llama"

    @property
    def built_in_packages(self) -> Path:
        """What an image adds to the packages of its system's Python."""
        return self.home / "packages"

    @property
    def llama(self) -> Path:
        """llama.cpp's environment, downloaded models, and what is known of model files."""
        return self.cache / "llama"

    @property
    def served_repository(self) -> Path:
        """The model repository as it is served: the committed one with this stack's model folders filled in."""
        return self.state / "triton" / "model_repository"


def _number(variable: str) -> int | None:
    value = os.environ.get(variable, "").strip()
    if value and (not value.isdigit() or int(value) < 1):
        raise SetUpFailed(f"{variable}={value} is no number above 0")
    return int(value) if value else None
