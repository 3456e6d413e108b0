"""Ending processes by what they are."""

import subprocess
import sys
import time
from dataclasses import replace

import pytest

from embedded import sessions

SLEEPS = "import time; print('ready', flush=True); time.sleep(600)"
IGNORES = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(600)"
)
LEAVES_A_CHILD = (
    "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "
    "print('ready', flush=True); time.sleep(600)"
)


@pytest.fixture
def started():
    running = []

    def start(code):
        process = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        running.append(process)
        assert process.stdout.readline() == "ready\n"
        return process, sessions.identify(process.pid)

    yield start
    for process in running:
        process.kill()
        process.wait()
        process.stdout.close()


def test_one_that_listens_to_sigterm_ends_within_its_grace(started):
    process, identity = started(SLEEPS)
    sessions.end(identity, grace_seconds=10)
    assert process.wait(timeout=1) == -15
    assert not any(sessions.members(identity))


def test_one_that_ignores_sigterm_is_killed_after_its_grace(started):
    process, identity = started(IGNORES)
    began = time.monotonic()
    sessions.end(identity, grace_seconds=0.2)
    assert process.wait(timeout=1) == -9
    assert time.monotonic() - began < 8


def test_what_a_killed_leader_left_behind_is_ended_too(started):
    process, identity = started(LEAVES_A_CHILD)
    process.kill()
    process.wait()
    assert any(sessions.members(identity)), "the child outlives its parent"
    sessions.end(identity, grace_seconds=1)
    assert not any(sessions.members(identity))


def test_a_pid_that_belongs_to_somebody_else_now_is_never_signalled(started):
    process, identity = started(SLEEPS)
    earlier = replace(identity, born=identity.born - 1)
    assert not sessions.is_alive(earlier)
    sessions.end(earlier, grace_seconds=0.1)
    assert process.poll() is None


def test_memory_is_counted_for_the_whole_session(started):
    _, identity = started(LEAVES_A_CHILD)
    assert sessions.resident_bytes(identity) > 5_000_000
