"""Makes `nexus_serving` importable, as launch.py does for Triton, and gives the shipped reader."""

import sys
from pathlib import Path

import pytest

SERVING = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(SERVING))


@pytest.fixture(scope="session")
def reader_folder() -> Path:
    return SERVING.parent / "models" / "reader"
