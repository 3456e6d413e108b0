"""Where the rules are, and Prometheus' own tool to check them with."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
RULES = sorted((ROOT / "monitoring" / "rules").glob("*.yml"))


def rules(kind: str = "expr") -> list[dict[str, Any]]:
    """Those that record, those that alert, or all."""
    groups = [group for file in RULES for group in yaml.safe_load(file.read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"] if kind in rule]


def promtool(*arguments: str | Path) -> None:
    """Run it; the test fails with what it says."""
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed; make setup installs it")
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
