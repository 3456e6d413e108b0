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

    def __init__(self, chunks: MilvusChunks, *, share: float) -> None:
        self._chunks = chunks
        self._share = share
        self._common: frozenset[str] = frozenset()

    def without(self, terms: Sequence[str]) -> list[str]:
        """The terms that tell something; all of them where too few would be left."""
        telling = [term for term in terms if term not in self._common]
        return telling if len(telling) >= _FEWEST_LEFT else list(terms)

    async def keep_current(self) -> None:
        """Look at the index again and again."""
        while True:
            try:
                await self.refresh()
            except Unavailable as exc:
                log.info("common_terms_not_sampled", reason=exc.message)
            await asyncio.sleep(_REFRESH_SECONDS if self._common else _EARLY_SECONDS)

    async def refresh(self) -> None:
        """Take a sample now. Raises Unavailable."""
        sample = await self._chunks.sample_of_terms(_SAMPLE)
        self._common = common_in(sample, share=self._share) if len(sample) >= _FEWEST else frozenset()


def common_in(chunks: Sequence[str], *, share: float) -> frozenset[str]:
    """The terms that at least this share of the chunks have."""
    having = Counter(term for chunk in chunks for term in set(chunk.split()))
    return frozenset(term for term, count in having.items() if count >= share * len(chunks))
