"""The chunk collection in Milvus, Lite or server: two searches, always within one scope."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import grpc  # type: ignore[import-untyped]
from opskit.contracts.chunks import FIELD, collection_name
from opskit.errors import Unavailable
from pymilvus import AsyncMilvusClient
from pymilvus.exceptions import ErrorCode, MilvusException

from rag.ports import Served, ServedModels

# It logs a whole trace for each error that it raises as well, a missing collection among them. We translate them.
logging.getLogger("pymilvus").setLevel(logging.CRITICAL)

QUIET: Final = {"grpc.keepalive_time_ms": 330_000, "grpc.keepalive_permit_without_calls": False}
"""pymilvus pings every ten seconds, and a gRPC server that finds that too often hangs up in the middle of work."""
_SEARCH_SECONDS: Final = 10.0
_CONNECT_SECONDS: Final = 2.0
_LOAD_SECONDS: Final = 10.0
_NOT_LOADED: Final = 101
_SHOWN: Final = [
    FIELD.DOCUMENT,
    FIELD.GENERATION,
    FIELD.PAGE,
    FIELD.TITLE,
    FIELD.HEADING,
    FIELD.TEXT,
]


@dataclass(frozen=True, slots=True)
class Row:
    """A row that was found. `score` is higher for better ones; its scale is the leg's own."""

    id: str
    score: float
    fields: dict[str, Any]


class MilvusChunks:
    """Searches the collection that belongs to the embedder being served, so many times at once at most. Milvus Lite is
    one Python process: more at once takes each of them longer, and after a restart all would build the same index."""

    def __init__(self, url: str, models: ServedModels, *, token: str = "", at_once: int = 32) -> None:
        self._url = url
        self._free = asyncio.Semaphore(at_once)
        self._token = token
        self._models = models
        self._client: AsyncMilvusClient | None = None

    async def nearest(self, vector: Sequence[float], *, scope: str, limit: int) -> list[Row]:
        """By cosine."""
        return await self._search(FIELD.DENSE, list(vector), scope, limit)

    async def matching(self, terms: str, *, scope: str, limit: int) -> list[Row]:
        """By BM25. `terms` are those of `opskit.lexical`, as in the index."""
        return await self._search(FIELD.SPARSE, terms, scope, limit)

    async def sample_of_terms(self, most: int) -> list[str]:
        """The terms of at most so many chunks, drawn evenly from all scopes. Raises Unavailable."""
        collection = _collection(await self._models.current())
        try:
            rows = int((await self._connected().get_collection_stats(collection))["row_count"])
            async with self._free:
                found = await self._connected().query(
                    collection,
                    filter=f'{FIELD.ID} like "{_drawn(rows, most)}%"',
                    output_fields=[FIELD.TERMS],
                    limit=most,
                    timeout=_SEARCH_SECONDS,
                )
        except MilvusException as exc:
            if exc.code == ErrorCode.COLLECTION_NOT_FOUND:
                return []
            raise Unavailable("Milvus cannot be used.") from exc
        except grpc.RpcError as exc:
            raise Unavailable("Milvus cannot be reached.") from exc
        return [row[FIELD.TERMS] for row in found]

    async def check(self) -> None:
        """Return when Milvus answers. Raises Unavailable."""
        try:
            await self._connected().list_collections(timeout=_CONNECT_SECONDS)
        except (MilvusException, grpc.RpcError) as exc:
            raise Unavailable("Milvus cannot be reached.") from exc

    async def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            await self._client.close()

    async def _search(self, field: str, data: Any, scope: str, limit: int) -> list[Row]:
        served = await self._models.current()
        collection = _collection(served)
        try:
            try:
                hits = await self._asked(collection, field, data, scope, limit)
            except MilvusException as exc:
                if exc.code != _NOT_LOADED:
                    raise
                # Milvus Lite forgets at a restart that a collection was loaded.
                await self._connected().load_collection(collection, timeout=_LOAD_SECONDS)
                hits = await self._asked(collection, field, data, scope, limit)
        except MilvusException as exc:
            if exc.code == ErrorCode.COLLECTION_NOT_FOUND:
                return []  # ingest makes it with the first document
            raise Unavailable("Milvus cannot be used.") from exc
        except grpc.RpcError as exc:
            raise Unavailable("Milvus cannot be reached.") from exc
        # BM25 is negative on Milvus Lite and positive on a server.
        lexical = field == FIELD.SPARSE
        return [
            Row(hit["id"], abs(hit["distance"]) if lexical else hit["distance"], dict(hit["entity"])) for hit in hits
        ]

    async def _asked(self, collection: str, field: str, data: Any, scope: str, limit: int) -> Any:
        async with self._free:
            found = await self._connected().search(
                collection,
                [data],
                filter=f'{FIELD.SCOPE} == "{scope}"',  # made of two checked names, see contracts.chunks.scope
                limit=limit,
                output_fields=_SHOWN,
                anns_field=field,
                consistency_level="Strong",  # a document that was just indexed is found
                timeout=_SEARCH_SECONDS,
            )
        return found[0]

    def _connected(self) -> AsyncMilvusClient:
        """The client; it connects by itself, and again when the server was away."""
        if self._client is None:
            self._client = AsyncMilvusClient(
                self._url, token=self._token, timeout=_CONNECT_SECONDS, dedicated=True, grpc_options=QUIET
            )
        return self._client


def _drawn(rows: int, most: int) -> str:
    """The beginning of chunk ids that about `most` or fewer of so many have: ids are digests, so it is a fair draw."""
    digits = 0
    while rows > most * 16**digits:
        digits += 1
    return "chk_" + "0" * digits if digits else ""


def _collection(served: Served) -> str:
    return collection_name(served.embedder_fingerprint)
