"""A stack in a temporary folder, on ports that nobody has."""

import sys
from pathlib import Path

import pytest
from embedded.preparing import prepare
from embedded.processes import Part, Probe
from embedded.stack import Stack


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack.from_environment(
        {
            "NEXUS_STATE_DIR": str(tmp_path / "state"),
            "NEXUS_CACHE_DIR": str(tmp_path / "cache"),
            "PATH": "/usr/bin:/bin",
        }
    )


@pytest.fixture
def secrets(stack: Stack):
    return prepare(stack)


def python_part(name: str, code: str, *, port: int = 1, needs: tuple[str, ...] = (), grace: float = 5.0) -> Part:
    """A part that is a few lines of Python; ready when somebody listens at its port."""
    return Part(
        name,
        (sys.executable, "-c", code),
        {"PATH": "/usr/bin:/bin"},
        Probe("port", port),
        f"http://127.0.0.1:{port}",
        needs,
        grace_seconds=grace,
    )
