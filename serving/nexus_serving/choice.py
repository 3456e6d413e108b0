"""What `NEXUS_MODEL` asks for. Pure."""

import re
from dataclasses import dataclass
from pathlib import Path

from nexus_serving.layout import SetUpFailed

FORMS = (
    "`extractive`, the path of a GGUF file, `<owner>/<repository>#<file>.gguf` of the Hugging Face hub, or "
    "`openai:<base url>#<model>`"
)
_HUB = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w./-]+))?#(?P<file>[\w./-]+\.gguf)", re.I)


@dataclass(frozen=True)
class Extractive:
    """The reader that comes with Nexus."""


@dataclass(frozen=True)
class GgufFile:
    """A language model on this machine."""

    path: Path


@dataclass(frozen=True)
class HubFile:
    """A file of a repository of the Hugging Face hub."""

    repository: str
    file: str
    revision: str = "main"


@dataclass(frozen=True)
class Elsewhere:
    """A server that rag calls by itself: Triton has no part in it."""


Choice = Extractive | GgufFile | HubFile | Elsewhere


def choice(model: str) -> Choice:
    """The choice that a value of `NEXUS_MODEL` makes. Raises SetUpFailed."""
    model = model.strip()
    if model in ("", "extractive"):
        return Extractive()
    if model.startswith("openai:"):
        return Elsewhere()
    if hub := _HUB.fullmatch(model):
        return HubFile(hub["repository"], hub["file"], hub["revision"] or "main")
    if model.lower().endswith(".gguf"):
        return GgufFile(Path(model).expanduser().resolve())
    raise SetUpFailed(f"NEXUS_MODEL={model} is none of: {FORMS}")
