"""A stack in a temporary folder, on ports that nobody has."""

from pathlib import Path

import pytest
from embedded.preparing import prepare
from embedded.stack import Stack


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    folders = {"NEXUS_STATE_DIR": str(tmp_path / "state"), "NEXUS_CACHE_DIR": str(tmp_path / "cache")}
    return Stack.from_environment({**folders, "PATH": "/usr/bin:/bin"})


@pytest.fixture
def secrets(stack: Stack):
    return prepare(stack)
