"""How fast one key may go: counted in Redis by all processes together, and by this process alone while Redis is away.

Losing Redis must not close the door, and must not open it wide either: the local count keeps the same limit for each
process, so with one gateway nothing changes and with N of them a key may go N times as fast until Redis is back.
"""

import time
from collections.abc import Callable

import structlog

from gateway.errors import LimiterDown
from gateway.metrics import LIMITER_FALLBACKS
from gateway.ports import RateLimiter, Verdict

log = structlog.get_logger(__name__)


class SteadyLimiter:
    """Asks `shared`, and `local` while `shared` is down; after a failure `shared` is left alone for `pause` seconds,
    so that a dead Redis costs one time-out a second and not one a request."""

    def __init__(
        self,
        shared: RateLimiter,
        local: RateLimiter,
        *,
        pause: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shared = shared
        self._local = local
        self._pause = pause
        self._clock = clock
        self._retry_at = 0.0
        self._reason: str | None = None

    @property
    def trouble(self) -> str | None:
        """Why counting is local just now, None when it is shared."""
        return self._reason

    async def hit(self, key_id: str) -> Verdict:
        """Count one request of the key."""
        if self._reason is not None and self._clock() < self._retry_at:
            return await self._hit_locally(key_id)
        # Set before the attempt, so that of many waiting requests one probes a dead Redis and the rest go on.
        self._retry_at = self._clock() + self._pause
        try:
            verdict = await self._shared.hit(key_id)
        except LimiterDown as exc:
            if self._reason is None:
                log.warning("limits_counted_locally", reason=str(exc))
            self._reason = str(exc)
            return await self._hit_locally(key_id)
        if self._reason is not None:
            log.info("limits_counted_together_again")
            self._reason = None
        return verdict

    async def _hit_locally(self, key_id: str) -> Verdict:
        LIMITER_FALLBACKS.inc()
        return await self._local.hit(key_id)
