"""Finding a Python that Triton's Python backend can embed: one with a shared libpython."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nexus_serving.layout import SetUpFailed

SUPPORTED = ("3.11", "3.12")
"""Versions that Triton ships a stub for, numpy 1.26 has wheels for, and our code runs on."""

_PROBE = """
import json, sys, sysconfig
folders = [sysconfig.get_config_var("LIBDIR"), sys.base_prefix + "/lib", "/usr/lib64"]
multiarch = sysconfig.get_config_var("MULTIARCH")
folders += ["/usr/lib/" + multiarch] if multiarch else []
print(json.dumps({"version": "%d.%d" % sys.version_info[:2], "prefix": sys.base_prefix, "folders": folders}))
"""


@dataclass(frozen=True)
class Interpreter:
    """An interpreter and the folders that may hold its shared library."""

    executable: Path
    version: str
    prefix: Path
    folders: tuple[Path, ...]

    @property
    def library(self) -> str:
        return f"libpython{self.version}.so.1.0"

    def library_folder(self) -> Path | None:
        """Where the shared library lies; None when this Python has none."""
        return next((folder for folder in self.folders if (folder / self.library).exists()), None)


@dataclass(frozen=True)
class EmbeddablePython:
    """An interpreter together with its shared library."""

    executable: Path
    version: str
    prefix: Path
    library_folder: Path


def find_python(downloads: Path) -> EmbeddablePython:
    """The first supported Python with a shared library.

    On Debian and Ubuntu the library is a package of its own (`libpython3.x`). Where it is missing it is fetched into
    `downloads` without installing anything, and when that fails too, the error names the package.
    """
    interpreters = [found for path in _candidates() if (found := _probe(path)) and found.version in SUPPORTED]
    for found in interpreters:
        if (folder := found.library_folder()) is not None:
            return _embeddable(found, folder)
    of_the_system = [found for found in interpreters if found.prefix == Path("/usr")]
    for found in of_the_system:
        if (folder := _downloaded_library(found, downloads)) is not None:
            return _embeddable(found, folder)
    version = of_the_system[0].version if of_the_system else SUPPORTED[0]
    raise SetUpFailed(
        f"Triton needs Python's shared library: sudo apt-get install -y python{version} libpython{version}"
    )


def _embeddable(found: Interpreter, folder: Path) -> EmbeddablePython:
    return EmbeddablePython(found.executable, found.version, found.prefix, folder)


def _candidates() -> Iterator[Path]:
    """Interpreters worth probing, once each, the one running us first."""
    named = [f"python{version}" for version in SUPPORTED]
    running = getattr(sys, "_base_executable", None) or sys.executable
    seen: set[Path] = set()
    for name in [running, "/usr/bin/python3", *(f"/usr/bin/{name}" for name in named), "python3", *named]:
        found = shutil.which(name)
        if found and (resolved := Path(found).resolve()) not in seen:
            seen.add(resolved)
            yield Path(found)


def _probe(executable: Path) -> Interpreter | None:
    """What the interpreter says of itself; None when it does not run (a pyenv shim of a version not chosen)."""
    command = [str(executable), "-I", "-c", _PROBE]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    if done.returncode != 0:
        return None
    facts = json.loads(done.stdout)
    folders = tuple(Path(folder) for folder in facts["folders"] if folder)
    return Interpreter(executable, facts["version"], Path(facts["prefix"]), folders)


def _downloaded_library(found: Interpreter, downloads: Path) -> Path | None:
    """The library out of the distribution's package, unpacked beside our cache: this needs no root."""
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        return None
    target = downloads / f"libpython{found.version}"
    if not any(target.rglob(found.library)):
        target.mkdir(parents=True, exist_ok=True)
        for package in (f"libpython{found.version}", f"libpython{found.version}t64"):  # t64: Ubuntu 24.04 and later
            if _unpacked(package, target):
                break
    return next((path.parent for path in target.rglob(found.library)), None)


def _unpacked(package: str, target: Path) -> bool:
    fetch = ["apt-get", "download", "-qq", package]
    got = subprocess.run(fetch, cwd=target, capture_output=True, timeout=120, check=False)
    archives = sorted(target.glob("*.deb"))
    if got.returncode != 0 or not archives:
        return False
    unpack = ["dpkg-deb", "-x", str(archives[0]), str(target)]
    done = subprocess.run(unpack, capture_output=True, timeout=120, check=False)
    archives[0].unlink()
    return done.returncode == 0
