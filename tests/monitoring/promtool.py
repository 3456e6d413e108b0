"""Where the rules are, and Prometheus' own tool to check them with."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RULES = sorted((ROOT / "monitoring" / "rules").glob("*.yml"))


def promtool(*arguments: str | Path) -> None:
    """Run it; the test fails with what it says."""
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed; make setup installs it")
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
