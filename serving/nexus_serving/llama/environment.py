"""The Python that llama.cpp's server runs in: xllamacpp and nothing else."""

import hashlib
import shutil
import sys
from pathlib import Path

from nexus_serving.layout import LLAMA_REQUIREMENTS, Layout, SetUpFailed
from nexus_serving.triton_environment import Report, find_uv, run


def prepare_llama(layout: Layout, report: Report) -> str:
    """Make the environment, or leave it when it was made from the same requirements. Returns its Python."""
    if (built_in := _python_of(layout.built_in_llama)).exists():
        return str(built_in)
    python = _python_of(layout.llama / "venv")
    made_from = layout.llama / "made-from"
    key = hashlib.sha256(LLAMA_REQUIREMENTS.read_bytes()).hexdigest()
    if not (made_from.exists() and made_from.read_text() == key and python.exists()):
        report("Installing llama.cpp (xllamacpp, about 100 MB)")
        shutil.rmtree(layout.llama / "venv", ignore_errors=True)
        uv = find_uv()
        run([uv, "venv", "--quiet", "--python", sys.executable, str(layout.llama / "venv")])
        requirements = ["--requirement", str(LLAMA_REQUIREMENTS)]
        run([uv, "pip", "install", "--quiet", "--no-deps", "--python", str(python), *requirements])
        made_from.write_text(key)
    return str(python)


def llama_python(layout: Layout) -> str:
    """The environment's Python, the image's or ours. Raises SetUpFailed when it was not made yet."""
    for folder in (layout.built_in_llama, layout.llama / "venv"):
        if (python := _python_of(folder)).exists():
            return str(python)
    raise SetUpFailed("llama.cpp is not set up yet")


def _python_of(environment: Path) -> Path:
    return environment / "bin" / "python"
