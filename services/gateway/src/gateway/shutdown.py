"""Leaving in order: on SIGTERM readiness fails at once, then the door closes, then what is under way finishes.

uvicorn does the last two by itself. Its handler is called after ours, `drain_seconds` later, so that a load balancer
has the time to look elsewhere.
"""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

import structlog

log = structlog.get_logger(__name__)


class Draining(Exception):
    """The process was told to stop."""


class Farewell:
    """Whether the process was told to stop."""

    def __init__(self) -> None:
        self.begun = False

    async def check(self) -> None:
        """A readiness check: raises once the process was told to stop."""
        if self.begun:
            raise Draining("shutting down; what is under way is finished")

    @contextlib.contextmanager
    def on_sigterm(self, *, drain_seconds: float) -> Iterator[None]:
        """Listen for SIGTERM, in front of whoever listens already."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        before = signal.getsignal(signal.SIGTERM)

        def handle(number: int, frame: FrameType | None) -> None:
            self.begun = True
            log.info("draining", seconds=drain_seconds)
            if not callable(before):
                signal.signal(number, before or signal.SIG_DFL)
                signal.raise_signal(number)
            elif drain_seconds:
                loop.call_soon_threadsafe(loop.call_later, drain_seconds, before, number, frame)
            else:
                before(number, frame)

        signal.signal(signal.SIGTERM, handle)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, before or signal.SIG_DFL)
