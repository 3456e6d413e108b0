"""Room for so many answers at once, and a short queue before it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rag.errors import Busy
from rag.metrics import READERS_BUSY, READERS_WAITING, TURNED_AWAY


class ReaderSlots:
    """Bounds the answers being read. Who would have to wait too long is told so at once."""

    def __init__(self, *, at_once: int, waiting: int, wait_seconds: float) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._room = waiting
        self._wait_seconds = wait_seconds

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """Hold a slot. Raises Busy when the queue is full, or the wait too long."""
        await self._acquire()
        READERS_BUSY.inc()
        try:
            yield
        finally:
            READERS_BUSY.dec()
            self._free.release()

    async def _acquire(self) -> None:
        if not self._free.locked():
            await self._free.acquire()  # returns at once
            return
        if self._room <= 0:
            TURNED_AWAY.inc()
            raise Busy("Too many questions at once; try again in a moment.", retry_after=1)
        self._room -= 1
        READERS_WAITING.inc()
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self._free.acquire()
        except TimeoutError as exc:
            TURNED_AWAY.inc()
            raise Busy("Too many questions are waiting; try again in a moment.", retry_after=2) from exc
        finally:
            self._room += 1
            READERS_WAITING.dec()
