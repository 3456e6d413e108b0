"""The stack in containers, for tests of what only containers have. They are skipped where no engine answers."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.compose.stack import ComposeStack
from tests.e2e.stack import Stack


def engine_missing() -> str | None:
    """Why no stack in containers can be started here."""
    if os.environ.get("NEXUS_E2E_STACK") != "compose":
        return "the stack in containers is for `make e2e-compose`"
    if shutil.which("docker") is None:
        return "there is no docker command"
    asked = subprocess.run(["docker", "version"], capture_output=True, text=True, check=False)
    return None if asked.returncode == 0 else f"no engine answers: {asked.stderr.strip()[-200:]}"


@pytest.fixture(scope="session")
def containers(request: pytest.FixtureRequest) -> ComposeStack:
    """The session's stack, which is one of containers."""
    if reason := engine_missing():
        pytest.skip(reason)
    stack: Stack = request.getfixturevalue("own_stack")
    assert isinstance(stack, ComposeStack)
    return stack


HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes the stack down comes after what needs it."""
    order = {"test_restarts.py": 1, "test_losses.py": 2, "test_backup.py": 3}
    items.sort(key=lambda item: order.get(item.path.name, 0) if item.path.parent == HERE else 0)
