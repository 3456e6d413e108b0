"""What each tenant used: summed in memory on the hot path, written to SQL in batches beside it.

A crash loses at most the last few seconds of counts, which is the price of a hot path without a database.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime

import structlog
from opskit.identity import Caller

from gateway.metrics import USAGE_WRITES
from gateway.ports import UsageCount, UsageKey, UsageStore

log = structlog.get_logger(__name__)

TAIL_BYTES = 64 * 1024
# Inside a JSON string every quote is escaped, so a document that talks about tokens cannot look like this.
_PROMPT_TOKENS = re.compile(rb'(?<!\\)"prompt_tokens"\s*:\s*(\d{1,12})')
_COMPLETION_TOKENS = re.compile(rb'(?<!\\)"completion_tokens"\s*:\s*(\d{1,12})')


class Tail:
    """The last bytes of an answer that goes by. Usage stands at its end, so nothing is parsed on the way."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def add(self, chunk: bytes) -> None:
        """See a chunk go by."""
        self._bytes += chunk
        if len(self._bytes) > 2 * TAIL_BYTES:
            del self._bytes[:-TAIL_BYTES]

    def tokens(self) -> tuple[int, int]:
        """Prompt and completion tokens as the answer last reported them, 0 when it did not."""
        return _last(_PROMPT_TOKENS, self._bytes), _last(_COMPLETION_TOKENS, self._bytes)


def _last(pattern: re.Pattern[bytes], data: bytearray) -> int:
    found = pattern.findall(data)
    return int(found[-1]) if found else 0


class UsageMeter:
    """Counts in memory; `flush` hands the counts to the store."""

    def __init__(self, store: UsageStore, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._store = store
        self._now = now
        self._counts: dict[UsageKey, UsageCount] = {}

    def request(self, caller: Caller) -> None:
        """Count a request that was let in."""
        self._of(caller).requests += 1

    def answer(self, caller: Caller, tail: Tail) -> None:
        """Count an answer that was given, with the tokens it reported."""
        count = self._of(caller)
        prompt, completion = tail.tokens()
        count.answers += 1
        count.prompt_tokens += prompt
        count.completion_tokens += completion

    async def flush(self) -> None:
        """Write what was counted since the last time; what cannot be written is kept for the next."""
        counts, self._counts = self._counts, {}
        if not counts:
            return
        try:
            await asyncio.to_thread(self._store.add, counts)
        except Exception as exc:  # noqa: BLE001 - the loop is a boundary: usage waits, requests must not
            USAGE_WRITES.labels("failed").inc()
            log.warning("usage_not_written", reason=repr(exc))
            self._take_back(counts)
        else:
            USAGE_WRITES.labels("written").inc()

    @contextlib.asynccontextmanager
    async def flushing(self, *, every: float) -> AsyncIterator[None]:
        """Flush in the background, and once more at the end."""

        async def forever() -> None:
            while True:
                await asyncio.sleep(every)
                await self.flush()

        task = asyncio.create_task(forever(), name="usage")
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await self.flush()

    def _of(self, caller: Caller) -> UsageCount:
        return self._counts.setdefault(UsageKey(self._now().date(), caller.tenant, caller.key_id), UsageCount())

    def _take_back(self, counts: Mapping[UsageKey, UsageCount]) -> None:
        for key, count in counts.items():
            self._counts.setdefault(key, UsageCount()).add(count)
