"""Waiting for what must become true, never for time to pass."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def until(look: Callable[[], Found], what: str, *, seconds: float = 30.0, every: float = 0.1) -> Found:
    """The first true thing `look` returns; AssertionError that names `what` and the last look when none comes."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:g} s; the last look gave {found!r}")
        time.sleep(every)
