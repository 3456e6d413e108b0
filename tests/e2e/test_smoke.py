"""The check that Kubernetes runs after each sync, against a real stack."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.stack import Stack

pytestmark = pytest.mark.e2e

CHECKOUT = Path(__file__).resolve().parents[2]


def smoke(stack: Stack, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.smoke", "--users", "4", "--seconds", "5", *arguments]
    told = {**os.environ, "NEXUS_URL": stack.url, "NEXUS_API_KEY": stack.key}
    return subprocess.run(command, cwd=CHECKOUT, env=told, capture_output=True, text=True, check=False, timeout=240)


def test_a_stack_that_works_passes_and_nothing_is_left_behind(stack: Stack) -> None:
    done = smoke(stack)
    assert (done.returncode, "it works" in done.stdout) == (0, True), done.stdout + done.stderr
    assert " 0 failed" in done.stdout


def test_another_release_than_the_one_named_does_not_pass(stack: Stack) -> None:
    done = smoke(stack, "--release", "rel_000000000000", "--roll-back")
    assert done.returncode == 1
    assert "answers, and not rel_000000000000" in done.stdout
    assert "nothing is rolled back" in done.stdout
