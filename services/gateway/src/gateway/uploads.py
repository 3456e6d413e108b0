"""A document on its way in: passed on as it comes, never held whole, cut off at the limit."""

import asyncio
from collections.abc import AsyncIterator

from opskit.errors import InvalidRequest

from gateway.json_body import too_large


class Upload:
    """The body of a PUT. Await `begin` first: it refuses an empty one before anything is sent on."""

    def __init__(self, chunks: AsyncIterator[bytes], *, declared: int | None, limit: int) -> None:
        self._chunks = chunks
        self._declared = declared
        self._limit = limit
        self._first = b""
        self.sent = asyncio.Event()

    async def begin(self) -> None:
        """Wait for the first bytes. Raises InvalidRequest for an empty body, TooLarge for one declared too large."""
        if self._declared is not None and self._declared > self._limit:
            raise too_large("The document", self._limit)
        async for chunk in self._chunks:
            if chunk:
                self._first = chunk
                return
        raise InvalidRequest("The body is empty; send the document's bytes.")

    async def body(self) -> AsyncIterator[bytes]:
        """All bytes. Raises TooLarge as soon as there are more than allowed."""
        total = len(self._first)
        self._check(total)
        yield self._first
        async for chunk in self._chunks:
            total += len(chunk)
            self._check(total)
            if chunk:
                yield chunk
        self.sent.set()

    def _check(self, total: int) -> None:
        if total > self._limit:
            raise too_large("The document", self._limit)
