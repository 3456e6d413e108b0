"""Hands over the runs that were decided: at least once, whatever breaks in between. A run that is handed over twice is
started once, because trainer ignores an order that it has."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from opskit.contracts.runs import RunOrder
from opskit.errors import Unavailable

from alert_bridge import metrics
from alert_bridge.ports import Outbox, RunStarter

log = structlog.get_logger(__name__)

LOOK_EVERY: Final = timedelta(seconds=10)
"""How long a run waits at most that was decided by another process, which died."""
FIRST_PAUSE: Final = timedelta(seconds=1)
LONGEST_PAUSE: Final = timedelta(seconds=30)


class Dispatcher:
    """Looks for runs to hand over when it starts, when it is woken, and now and then; after a failure in growing
    pauses."""

    def __init__(
        self,
        outbox: Outbox,
        starter: RunStarter,
        *,
        look_every: timedelta = LOOK_EVERY,
        first_pause: timedelta = FIRST_PAUSE,
        longest_pause: timedelta = LONGEST_PAUSE,
    ) -> None:
        self._outbox = outbox
        self._starter = starter
        self._look_every = look_every
        self._first_pause = first_pause
        self._longest_pause = longest_pause
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """There may be something to do. On the event loop only."""
        self._woken.set()

    async def run(self) -> None:
        """Work until cancelled."""
        after_failure = self._first_pause
        while True:
            self._woken.clear()
            if await self._guarded():
                after_failure = self._first_pause
                await self._rest(self._look_every)
            else:
                await self._rest(after_failure)
                after_failure = min(after_failure * 2, self._longest_pause)

    async def hand_over(self) -> bool:
        """Hand over what waits; False when some of it could not be. Raises Unavailable when the store does
        not answer."""
        waiting = await asyncio.to_thread(self._outbox.waiting)
        metrics.RUNS_WAITING.set(len(waiting))
        if not waiting or (await asyncio.to_thread(self._outbox.automation)).paused:
            return True
        left = len(waiting)
        for order in waiting:
            left -= await self._try(order)
            metrics.RUNS_WAITING.set(left)
        return not left

    async def _try(self, order: RunOrder) -> bool:
        try:
            await self._starter.start(order)
        except Unavailable as exc:
            metrics.RUN_ORDERS_FAILED.inc()
            log.warning("run_not_ordered", run=order.run_id, reason=exc.message, cause=repr(exc.__cause__))
            return False
        await asyncio.to_thread(self._outbox.mark_ordered, order.run_id, now=datetime.now(UTC))
        log.info("run_ordered", run=order.run_id, target=order.target, incident=order.incident)
        return True

    async def _guarded(self) -> bool:
        """Work that must outlive its failures: each is logged, and what was not done is tried again."""
        try:
            return await self.hand_over()
        except Unavailable as exc:
            log.warning("runs_not_looked_for", reason=exc.message, cause=repr(exc.__cause__))
        except Exception:
            metrics.UNEXPECTED.labels("dispatch").inc()
            log.exception("dispatch_failed")
        return False

    async def _rest(self, pause: timedelta) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), pause.total_seconds())
