"""For all tests: none reaches another machine by accident, and those of language models share a tiny one."""

import fcntl
import hashlib
import ipaddress
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

_CHECKOUT = Path(__file__).resolve().parent
_TRAINER = _CHECKOUT / "services" / "trainer" / "src" / "trainer"
_MESSAGES = _CHECKOUT / "libs" / "grounding" / "src" / "grounding" / "messages.py"
_LONGEST = _CHECKOUT / "tests" / "e2e"
_real_connect = socket.socket.connect


class FolderByFolder(LoadScopeScheduling):
    """Tests of one folder share servers, so one worker runs them all."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.split("::")[0].rpartition("/")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FolderByFolder:
    return FolderByFolder(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The folder that takes longest begins first."""
    items.sort(key=lambda item: item.path.parent != _LONGEST)


def _is_local(address: Any) -> bool:
    if not isinstance(address, tuple):
        return True  # a Unix socket
    host = str(address[0])
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@pytest.fixture(scope="session", autouse=True)
def only_loopback() -> Iterator[None]:
    """Refuse any connection that would leave this machine."""

    def connect(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_local(address):
            raise PermissionError(f"A test tried to connect to {address!r}; tests stay on loopback.")
        _real_connect(self, address)

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", connect)
    yield
    patch.undo()


@pytest.fixture(scope="session")
def tiny_model() -> Path:
    """The tiny language model as a GGUF file. Training it takes a minute, and is done again when its recipe changes."""
    recipe = hashlib.sha256()
    for file in (*sorted((_TRAINER / "tiny").glob("*.py")), _TRAINER / "gguf_file.py", _MESSAGES):
        recipe.update(file.read_bytes())
    cache = Path(os.environ.get("NEXUS_CACHE_DIR") or _CHECKOUT / ".nexus" / "cache") / "tiny"
    model = cache / f"{recipe.hexdigest()[:16]}.gguf"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not model.exists():
            made = subprocess.run(
                [sys.executable, "-m", "trainer", "tiny", "--out", model], capture_output=True, text=True, check=False
            )
            assert made.returncode == 0, made.stderr
    return model
