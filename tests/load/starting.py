"""How fast the stack starts, and how much memory it holds."""

import time
from collections.abc import Iterator

from tests.e2e.stack import Stack
from tests.load.figures import Figure
from tests.load.machine import members

GROUP = "stack"
_GIB = 1024**3


def memory(stack: Stack) -> Iterator[Figure]:
    """Of every process of the stack. Pages that processes share count once in the first, for each in the second."""
    full = [process.memory_full_info() for process in members(stack)]
    yield Figure(GROUP, "memory, shared pages counted once", sum(info.pss for info in full) / _GIB, "GiB", goal=5)
    yield Figure(GROUP, "resident, shared pages counted for each", sum(info.rss for info in full) / _GIB, "GiB", goal=5)
    yield Figure(GROUP, "processes", len(full), "")


def restart(stack: Stack) -> Iterator[Figure]:
    """Stop it, start it with what is in it, and start it again."""
    stack.make("down")
    yield Figure(GROUP, "warm make up to all ready", _timed_up(stack), "s", goal=60)
    yield Figure(GROUP, "make up again", _timed_up(stack), "s", goal=3)


def _timed_up(stack: Stack) -> float:
    began = time.monotonic()
    done = stack.make("up", seconds=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return time.monotonic() - began
