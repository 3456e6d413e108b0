"""Rate limits by the library `limits`: a sliding window, in Redis for all processes or in memory for this one."""

import time
from typing import Any

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from gateway.errors import LimiterDown
from gateway.ports import Verdict

TIMEOUT_SECONDS = 0.25
"""A limiter that takes longer costs more than the precision it buys."""
PREFIX = "nexus:limits"


class _SlidingWindow:
    def __init__(self, storage: Storage, per_minute: int) -> None:
        self._limit = RateLimitItemPerMinute(per_minute)
        self._strategy = SlidingWindowCounterRateLimiter(storage)

    async def hit(self, key_id: str) -> Verdict:
        if await self._strategy.hit(self._limit, key_id):
            return Verdict(allowed=True)
        window = await self._strategy.get_window_stats(self._limit, key_id)
        return Verdict(allowed=False, retry_after=max(1, round(window.reset_time - time.time())))


class LocalLimiter(_SlidingWindow):
    """Counts in this process."""

    def __init__(self, per_minute: int) -> None:
        super().__init__(MemoryStorage(), per_minute)


class RedisLimiter(_SlidingWindow):
    """Counts in Redis. Close it when done."""

    def __init__(self, url: str, per_minute: int) -> None:
        # Retries belong to SteadyLimiter, which has something better to do meanwhile.
        self._pool: ConnectionPool = ConnectionPool.from_url(
            url,
            max_connections=64,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        self._redis = Redis(connection_pool=self._pool)
        pool: Any = self._pool  # `limits` types its options as plain values, and documents this one as a pool
        super().__init__(
            RedisStorage(url, implementation="redispy", key_prefix=PREFIX, connection_pool=pool), per_minute
        )

    async def hit(self, key_id: str) -> Verdict:
        """Count one request of the key. Raises LimiterDown."""
        try:
            return await super().hit(key_id)
        except (RedisError, OSError, TimeoutError) as exc:
            raise LimiterDown(f"redis: {type(exc).__name__}") from exc

    async def ping(self) -> None:
        """Raise when Redis does not answer."""
        await self._redis.ping()

    async def close(self) -> None:
        """Let go of the connections."""
        await self._redis.aclose()
        await self._pool.disconnect()
