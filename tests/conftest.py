"""Lets the tests of the whole product import each other's clients: `from tests.e2e.clients import Nexus`."""

import sys
from pathlib import Path

ROOT = str(Path(__file__).resolve().parents[1])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)
