"""What harms the stack comes last. The stack itself, and who speaks to it: tests/conftest.py."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What harms the stack comes last."""
    items.sort(key=lambda item: item.path == HERE / "test_faults.py")
