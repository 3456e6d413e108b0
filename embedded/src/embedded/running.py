"""The stack as a whole: is it running, start it, end it."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from hashlib import sha256
from typing import Final

from embedded import record, sessions
from embedded.errors import CannotStart
from embedded.log_files import last_lines, open_log
from embedded.processes import Part
from embedded.record import StackRecord
from embedded.sessions import Identity
from embedded.stack import Stack

_SUPERVISOR_APPEARS_SECONDS: Final = 20.0
_ALL_STOP_SECONDS: Final = 90.0
_ORPHANS_GRACE_SECONDS: Final = 5.0


@contextmanager
def alone(stack: Stack) -> Iterator[None]:
    """One `up` or `down` at a time; the second waits for its turn."""
    stack.run.mkdir(parents=True, exist_ok=True)
    with (stack.run / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def now(stack: Stack) -> StackRecord | None:
    """What the supervisor says, if it lives."""
    found = record.load(stack.record_file)
    return found if found is not None and sessions.is_alive(found.supervisor) else None


def settings_digest(parts: list[Part]) -> str:
    """Changes when a running stack is no longer what these settings would start."""
    told = [
        (part.name, part.command, sorted((k, v) for k, v in part.environment.items() if k.startswith("NEXUS_")))
        for part in parts
    ]
    return sha256(repr(told).encode()).hexdigest()


def start_supervisor(stack: Stack, arguments: list[str]) -> None:
    """Start it in a session of its own, so that it outlives this terminal, and wait until it speaks."""
    log_file = stack.log_file("supervisor")
    with open_log(log_file) as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "embedded", "supervise", *arguments],
            env={**stack.inherited, "PYTHONUNBUFFERED": "1"},
            cwd=stack.checkout,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    until = time.monotonic() + _SUPERVISOR_APPEARS_SECONDS
    while time.monotonic() < until and process.poll() is None:
        found = now(stack)
        if found is not None and found.supervisor.pid == process.pid:
            return
        time.sleep(0.05)
    words = " ".join(last_lines(log_file, 1))
    raise CannotStart(f"The supervisor did not start; {log_file} ends with: {words}")


def stop(stack: Stack) -> bool:
    """End the supervisor, and through it every part; then whatever a killed supervisor left behind. False when there
    was nothing to end."""
    found = record.load(stack.record_file)
    if found is None:
        return False
    was_running = sessions.is_alive(found.supervisor)
    if was_running:
        _end_supervisor(found.supervisor)
        found = record.load(stack.record_file) or found
    left = [part.process for part in found.parts.values() if part.process and any(sessions.members(part.process))]
    with ThreadPoolExecutor() as threads:
        list(threads.map(lambda process: sessions.end(process, grace_seconds=_ORPHANS_GRACE_SECONDS), left))
    stack.record_file.unlink(missing_ok=True)
    return was_running or bool(left)


def _end_supervisor(supervisor: Identity) -> None:
    os.kill(supervisor.pid, signal.SIGTERM)
    until = time.monotonic() + _ALL_STOP_SECONDS
    while sessions.is_alive(supervisor):
        if time.monotonic() > until:
            os.kill(supervisor.pid, signal.SIGKILL)
        time.sleep(0.05)
