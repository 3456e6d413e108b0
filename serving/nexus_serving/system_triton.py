"""The Triton of an image: installed by whoever made the image, with backends and a Python of its own."""

import os
from dataclasses import dataclass
from pathlib import Path

from nexus_serving.layout import GROUNDING, SERVING, Layout, SetUpFailed


@dataclass(frozen=True)
class SystemTriton:
    """`folder` is the server's (`/opt/tritonserver` in NVIDIA's images), `packages` what our models import."""

    folder: Path
    packages: Path

    @classmethod
    def find(cls, layout: Layout, folder: Path) -> "SystemTriton":
        """The one that `NEXUS_SYSTEM_TRITON` names. Raises SetUpFailed when there is no server."""
        found = cls(folder, layout.built_in_packages)
        if not Path(found.server).exists():
            raise SetUpFailed(f"NEXUS_SYSTEM_TRITON={folder} holds no bin/tritonserver")
        return found

    @property
    def server(self) -> str:
        return str(self.folder / "bin" / "tritonserver")

    @property
    def backends(self) -> str:
        return str(self.folder / "backends")

    def variables(self) -> dict[str, str]:
        """All that the image sets is kept: it alone knows where its libraries lie, and which GPUs may be used."""
        return {
            **os.environ,
            "HOME": "/tmp",  # noqa: S108 - the user of an image may have none, and its root is read-only
            "NEXUS_SERVING_PATH": f"{self.packages}:{SERVING}:{GROUNDING}",
            "TOKENIZERS_PARALLELISM": "false",
        }
