"""Terms that so many chunks have that BM25 tells nothing by them.

Milvus walks through every chunk that has a term of the question. A term that a fifth of them have adds next to nothing
to a score, and such terms cost as much as all others together. Which they are is read off a sample of the index, now
and then, in the background; until the first sample, and in a small index, there are none.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Final

import structlog
from opskit.errors import Unavailable

from rag.adapters.milvus import MilvusChunks

log = structlog.get_logger(__name__)

_SAMPLE: Final = 1000
_FEWEST: Final = 60
"""A smaller sample says little, and a smaller index is fast anyway."""
_REFRESH_SECONDS: Final = 600.0
_EARLY_SECONDS: Final = 30.0
_FEWEST_LEFT: Final = 3


class CommonTerms:
    """Knows them as of the last sample."""

    def __init__(self, chunks: MilvusChunks) -> None:
        self._chunks = chunks
        self._shares: dict[str, float] = {}

    def without(self, terms: Sequence[str], *, common_from: float) -> list[str]:
        """The terms that tell something, as fewer chunks have them than this share; all of them where too few would be
        left. The share is the release's own: two releases may differ in it."""
        telling = [term for term in terms if self._shares.get(term, 0.0) < common_from]
        return telling if len(telling) >= _FEWEST_LEFT else list(terms)

    async def keep_current(self) -> None:
        """Look at the index again and again."""
        while True:
            try:
                await self.refresh()
            except Unavailable as exc:
                log.info("common_terms_not_sampled", reason=exc.message)
            await asyncio.sleep(_REFRESH_SECONDS if self._shares else _EARLY_SECONDS)

    async def refresh(self) -> None:
        """Take a sample now. Raises Unavailable."""
        sample = await self._chunks.sample_of_terms(_SAMPLE)
        self._shares = shares_in(sample) if len(sample) >= _FEWEST else {}


def shares_in(chunks: Sequence[str]) -> dict[str, float]:
    """Of the chunks, the share that has each term."""
    having = Counter(term for chunk in chunks for term in set(chunk.split()))
    return {term: count / len(chunks) for term, count in having.items()}
