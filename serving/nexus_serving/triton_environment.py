"""The environment of tritonserver: its wheel in a Python of its own, and the Python backend with the right stub."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from nexus_serving.layout import GROUNDING, HOME, REQUIREMENTS, SERVING, Layout, SetUpFailed
from nexus_serving.pythons import EmbeddablePython, find_python

Report = Callable[[str], None]


@dataclass(frozen=True)
class TritonEnvironment:
    """What launching needs to know; kept as `environment.json` so that a launch looks for nothing."""

    key: str
    site_packages: str
    backends: str
    server: str
    python_home: str
    library_path: str

    @classmethod
    def load(cls, layout: Layout) -> "TritonEnvironment":
        """The environment as prepared; SetUpFailed when it is not there."""
        record = layout.triton / "environment.json"
        if not record.exists():
            raise SetUpFailed("Triton is not set up yet: run serving/prepare.py first")
        return cls(**json.loads(record.read_text()))

    def variables(self) -> dict[str, str]:
        """Nothing is inherited: a caller's PYTHONPATH or virtual environment must not leak into the server's Python."""
        return {
            # The embedded Python finds its standard library from the first python3 of the PATH: that must be its own.
            "PATH": f"{self.python_home}/bin:/usr/bin:/bin",
            "HOME": "/tmp",  # noqa: S108 - nothing is kept there, but some libraries want one
            "LANG": "C.UTF-8",
            "LD_LIBRARY_PATH": self.library_path,
            # Our models put these on sys.path themselves: the embedded Python is isolated and reads no PYTHON…
            "NEXUS_SERVING_PATH": f"{self.site_packages}:{SERVING}:{GROUNDING}",
            "TOKENIZERS_PARALLELISM": "false",
        }


def prepare_environment(layout: Layout, report: Report) -> TritonEnvironment:
    """Make the environment, or leave it as it is when it was made from the same requirements."""
    key = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:16]
    record = layout.triton / "environment.json"
    if record.exists():
        made = TritonEnvironment(**json.loads(record.read_text()))
        if made.key == key and _usable(made):
            return made
    python = find_python(layout.triton / "downloads")
    report(f"Installing Triton into an environment of Python {python.version} ({python.executable})")
    record.unlink(missing_ok=True)
    environment = _install(layout, python, key)
    record.write_text(json.dumps(asdict(environment), indent=2) + "\n")
    return environment


def _usable(made: TritonEnvironment) -> bool:
    """The files are still there: a cache can be half deleted, and a system Python upgraded away."""
    libraries = made.library_path.split(":")
    return Path(made.server).exists() and any(Path(folder).glob("libpython3.*.so.1.0") for folder in libraries)


def _install(layout: Layout, python: EmbeddablePython, key: str) -> TritonEnvironment:
    home = layout.triton / "venv"
    shutil.rmtree(home, ignore_errors=True)
    uv = find_uv()
    run([uv, "venv", "--quiet", "--python", str(python.executable), str(home)])
    install = [uv, "pip", "install", "--quiet", "--no-deps", "--python", str(home / "bin" / "python")]
    run([*install, "--requirement", str(REQUIREMENTS)])
    site_packages = home / "lib" / f"python{python.version}" / "site-packages"
    server = site_packages / "pytriton" / "tritonserver"
    return TritonEnvironment(
        key=key,
        site_packages=str(site_packages),
        backends=str(_backend_folder(layout, server, python)),
        server=str(server / "bin" / "tritonserver"),
        python_home=str(python.prefix),
        library_path=f"{python.library_folder}:{site_packages / 'nvidia_pytriton.libs'}",
    )


def _backend_folder(layout: Layout, server: Path, python: EmbeddablePython) -> Path:
    """The Python backend with the stub of our Python's minor version beside it, where Triton looks for it."""
    backends = layout.triton / "backends"
    shutil.rmtree(backends, ignore_errors=True)
    shutil.copytree(server / "backends" / "python", backends / "python")
    stub = server / "python_backend_stubs" / python.version / "triton_python_backend_stub"
    shutil.copy2(stub, backends / "python" / stub.name)
    (backends / "python" / stub.name).chmod(0o755)
    return backends


def find_uv() -> str:
    """uv from the PATH, or the one that `make up` keeps in the checkout."""
    kept = HOME / ".nexus" / "tools" / "bin" / "uv"
    found = shutil.which("uv") or (str(kept) if kept.exists() else None)
    if found is None:
        raise SetUpFailed("uv is missing: run `make up`, or see https://docs.astral.sh/uv/ (pip install uv)")
    return found


def run(command: list[str]) -> None:
    """Run an installer; its last words are the reason when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        words = " ".join(done.stderr.split())[-400:]
        raise SetUpFailed(f"{Path(command[0]).name} {command[1]} failed: {words}")
