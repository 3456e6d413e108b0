"""Which variables each image understands, found in its own code."""

import ast
import importlib
import re
from pathlib import Path
from typing import Final

from pydantic_settings import BaseSettings

from tests.compose.composition import COMPOSE, ROOT, Service

_VARIABLE: Final = re.compile(r"(?:NEXUS|HF|MLFLOW|AWS|MINIO|GF)_[A-Z0-9_]+")
_OF_LIBRARIES: Final = {
    "triton": {"HF_ENDPOINT", "HF_TOKEN_PATH"},  # of huggingface_hub
    "trainer": {"HF_ENDPOINT", "HF_TOKEN_PATH", "MLFLOW_DISABLE_TELEMETRY"},
    "mlflow": {"MLFLOW_S3_ENDPOINT_URL", "AWS_DEFAULT_REGION"},
    "vllm": {"HF_ENDPOINT", "HF_TOKEN_PATH", "HOME"},
}
_FOLDERS: Final = {
    "triton": "serving/nexus_serving",
    "mlflow": "tracking/src",
    "provisioning": "libs/provisioning/src",
    "vllm": "serving/vllm_server",
    "demo-documents": "compose/config/dev",
}
_ANYBODYS: Final = {"NEXUS_LOG_JSON", "NEXUS_LOG_LEVEL"}
"""common.yaml gives them to all of ours."""


def program_of(name: str, service: Service) -> str:
    """Whose code runs in a container: mostly that of the image's name."""
    image = re.search(r"nexus/([a-z-]+):", service["image"])
    return name if name in _FOLDERS or image is None else image[1]


def settings_of(program: str) -> type[BaseSettings] | None:
    """The settings of a service of ours; those of other programs are no such class."""
    if not (ROOT / "services" / program).is_dir():
        return None
    found: type[BaseSettings] = importlib.import_module(f"{program.replace('-', '_')}.settings").Settings
    return found


def understood_by(program: str) -> set[str]:
    """All variables that it reads."""
    known = _OF_LIBRARIES.get(program, set()) | _ANYBODYS | {"NEXUS_SECRETS_DIR"}
    if (settings := settings_of(program)) is not None:
        known |= {f"NEXUS_{field}".upper() for field in settings.model_fields}
    if program in _FOLDERS:
        known |= _named_in(ROOT / _FOLDERS[program])
    if program == "trainer":  # it opens readers as Triton does
        known |= _named_in(ROOT / _FOLDERS["triton"])
    return known


def set_by_its_image(program: str) -> set[str]:
    """What ENV says in its Dockerfile."""
    file = ROOT / "services" / program / "Dockerfile"
    lines = file.read_text().replace("\\\n", " ").splitlines()
    return {name for line in lines if line.startswith("ENV ") for name in re.findall(r"(NEXUS_[A-Z_]+)=", line)}


def _named_in(folder: Path) -> set[str]:
    """Whole texts that are a variable's name, as os.environ is asked for it."""
    return {
        node.value
        for file in folder.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _VARIABLE.fullmatch(node.value)
    }


def example() -> list[tuple[str, str, bool]]:
    """The lines of .env.example that set something: name, value, whether it is commented out."""
    found = re.findall(r"^(# )?([A-Z][A-Z0-9_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE)
    return [(name, value, bool(mark)) for mark, name, value in found]


def databases_made() -> list[str]:
    """By PostgreSQL's script."""
    line = re.search(r"^for name in (.+); do$", (COMPOSE / "config/postgres/databases.sh").read_text(), re.MULTILINE)
    return line[1].split() if line else []
