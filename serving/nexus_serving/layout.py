"""Where things lie on disk. The only reader of the environment in this folder."""

import os
from dataclasses import dataclass
from pathlib import Path

SERVING = Path(__file__).resolve().parent.parent
CHECKOUT = SERVING.parent
MODEL_REPOSITORY = SERVING / "model_repository"
REQUIREMENTS = SERVING / "requirements-triton.txt"
SHIPPED_READER = CHECKOUT / "models" / "reader"


class SetUpFailed(Exception):
    """Serving cannot be set up on this machine; the message says what to do, in one line."""


@dataclass(frozen=True)
class Layout:
    """The folders of one checkout: `cache` may be shared between stacks, `state` is one stack's own."""

    cache: Path
    state: Path

    @classmethod
    def from_environment(cls) -> "Layout":
        """`NEXUS_CACHE_DIR` and `NEXUS_STATE_DIR`, by default under `.nexus/` of the checkout."""
        state = Path(os.environ.get("NEXUS_STATE_DIR") or CHECKOUT / ".nexus")
        cache = Path(os.environ.get("NEXUS_CACHE_DIR") or CHECKOUT / ".nexus" / "cache")
        return cls(cache=cache.resolve(), state=state.resolve())

    @property
    def triton(self) -> Path:
        """The environment that tritonserver and its Python models run in."""
        return self.cache / "triton"

    @property
    def embedder(self) -> Path:
        """Converted embedders, one folder a fingerprint."""
        return self.cache / "embedder"

    @property
    def served_repository(self) -> Path:
        """The model repository as it is served: the committed one with this stack's model folders filled in."""
        return self.state / "triton" / "model_repository"
