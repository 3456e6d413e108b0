"""Conversations in Redis: a bounded list for each, forgotten when it falls silent.

Memory is a comfort, not a need: while Redis is away every conversation is empty and nobody waits for it; it is counted,
and /readyz says "degraded".
"""

import time
from datetime import timedelta
from typing import Final

import orjson
import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from rag.metrics import CONVERSATION_ERRORS
from rag.ports import Exchange

log = structlog.get_logger(__name__)

_SECONDS: Final = 0.25
_PAUSE_SECONDS: Final = 2.0
_MOST_CHARS: Final = 4000


class RedisConversations:
    """What was said, by tenant and conversation."""

    def __init__(self, url: str, *, turns: int, ttl: timedelta) -> None:
        self._redis = Redis.from_url(
            url, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS, retry=Retry(NoBackoff(), 0)
        )
        self._turns = turns
        self._ttl = ttl
        self._away_until = 0.0

    async def history(self, tenant: str, conversation_id: str) -> list[Exchange]:
        """Oldest first; empty when it is unknown, or Redis is away."""
        if self._is_away():
            return []
        try:
            kept = await self._redis.lrange(_key(tenant, conversation_id), 0, -1)
        except (RedisError, OSError) as exc:
            self._note("read", exc)
            return []
        return [Exchange(**orjson.loads(one)) for one in kept]

    async def add(self, tenant: str, conversation_id: str, exchange: Exchange) -> None:
        """Remember one more, and forget the oldest."""
        if self._is_away():
            return
        key = _key(tenant, conversation_id)
        kept = {"question": exchange.question[:_MOST_CHARS], "answer": exchange.answer[:_MOST_CHARS]}
        try:
            async with self._redis.pipeline(transaction=True) as pipeline:
                pipeline.rpush(key, orjson.dumps(kept))
                pipeline.ltrim(key, -self._turns, -1)
                pipeline.expire(key, self._ttl)
                await pipeline.execute()
        except (RedisError, OSError) as exc:
            self._note("write", exc)

    async def check(self) -> None:
        """Return when Redis answers."""
        await self._redis.ping()
        self._away_until = 0.0

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    def _is_away(self) -> bool:
        return time.monotonic() < self._away_until

    def _note(self, operation: str, exc: Exception) -> None:
        self._away_until = time.monotonic() + _PAUSE_SECONDS
        CONVERSATION_ERRORS.labels(operation).inc()
        log.warning("conversation_is_without_memory", operation=operation, reason=repr(exc))


def _key(tenant: str, conversation_id: str) -> str:
    """Both parts are checked names without a colon, so no tenant can name another's."""
    return f"nexus:conversation:{tenant}:{conversation_id}"
