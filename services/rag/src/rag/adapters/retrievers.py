"""Retrieval through LlamaIndex: each leg is a `BaseRetriever` over Milvus, and so is their fusion.

`MilvusVectorStore` is not used. It makes a collection of its own schema when there is none, connects while it is being
constructed, searches without a consistency level, and drops a fifth of a query's rarest-weighted terms. What LlamaIndex
knows of us is its own seam, `BaseRetriever` and `NodeWithScore`, so any of its retrievers can be a leg, and any of its
query engines can sit on top. The seam costs about 0.15 ms a leg.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, Final

import numpy as np
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
from opskit.contracts.chunks import FIELD
from opskit.lexical import lexical_terms

from rag import fusion
from rag.adapters.common_terms import CommonTerms
from rag.adapters.milvus import MilvusChunks, Row
from rag.coverage import by_coverage
from rag.metrics import RETRIEVAL_SECONDS
from rag.ports import Embedder, Found
from rag.release import RetrievalSettings

Nodes = list[NodeWithScore]

_SIMILARITY: Final = "similarity"
_MOST_TERMS: Final = 64
"""A pasted page must not become a query of a thousand terms."""


class _AsyncRetriever(BaseRetriever):
    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        raise NotImplementedError("Retrieval here is asynchronous; call aretrieve.")


class DenseRetriever(_AsyncRetriever):
    """By meaning."""

    def __init__(self, chunks: MilvusChunks, embedder: Embedder, *, scope: str, limit: int) -> None:
        self._chunks, self._embedder, self._scope, self._limit = chunks, embedder, scope, limit
        super().__init__()

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        vector = query_bundle.embedding
        if vector is None:
            vector = (await self._embedder.embed([query_bundle.query_str])).vectors[0].tolist()
        rows = await self._chunks.nearest(vector, scope=self._scope, limit=self._limit)
        return [_node(row, {_SIMILARITY: row.score}) for row in rows]


class LexicalRetriever(_AsyncRetriever):
    """By words."""

    def __init__(
        self, chunks: MilvusChunks, common: CommonTerms, *, scope: str, limit: int, common_from: float
    ) -> None:
        self._chunks, self._common, self._scope, self._limit = chunks, common, scope, limit
        self._common_from = common_from
        super().__init__()

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        asked = list(dict.fromkeys(lexical_terms(query_bundle.query_str)))
        terms = self._common.without(asked, common_from=self._common_from)[:_MOST_TERMS]
        if not terms:
            return []
        rows = await self._chunks.matching(" ".join(terms), scope=self._scope, limit=self._limit)
        return [_node(row) for row in rows]


class FusedRetriever(_AsyncRetriever):
    """Both legs at once, as one ranking. The lexical leg is with Milvus while the question is being embedded."""

    def __init__(self, dense: BaseRetriever, lexical: BaseRetriever, settings: RetrievalSettings) -> None:
        self._dense, self._lexical, self._settings = dense, lexical, settings
        super().__init__()

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        dense, lexical = await _both(self._dense.aretrieve(query_bundle), self._lexical.aretrieve(query_bundle))
        # The dense leg's node is kept where both have one: it knows its similarity.
        nodes = {one.node_id: one.node for one in (*lexical, *dense)}
        return [NodeWithScore(node=nodes[id], score=score) for id, score in self._fused(dense, lexical).items()]

    def _fused(self, dense: Sequence[NodeWithScore], lexical: Sequence[NodeWithScore]) -> dict[str, float]:
        legs = [{one.node_id: one.score or 0.0 for one in leg} for leg in (dense, lexical)]
        if self._settings.fusion == "rrf":
            return fusion.rrf(*legs)
        return fusion.convex(*legs, dense_weight=self._settings.dense_weight, floor=self._settings.leg_floor)


class LlamaIndexRetriever:
    """Finds chunks by a fused retriever made for the scope, and looks at their sentences."""

    def __init__(self, chunks: MilvusChunks, embedder: Embedder, common: CommonTerms) -> None:
        self._chunks, self._embedder, self._common = chunks, embedder, common

    async def find(self, question: str, *, scope: str, wanted: int, settings: RetrievalSettings) -> list[Found]:
        """Candidates, best first."""
        with RETRIEVAL_SECONDS.time():
            nodes = await self._made_for(scope, wanted, settings).aretrieve(question)
            return by_coverage([_found(node) for node in nodes], question, weight=settings.coverage_weight)

    def _made_for(self, scope: str, wanted: int, settings: RetrievalSettings) -> BaseRetriever:
        dense_limit, lexical_limit = max(wanted, settings.dense_candidates), max(wanted, settings.lexical_candidates)
        return FusedRetriever(
            DenseRetriever(self._chunks, self._embedder, scope=scope, limit=dense_limit),
            LexicalRetriever(
                self._chunks, self._common, scope=scope, limit=lexical_limit, common_from=settings.common_from
            ),
            settings,
        )


def _node(row: Row, measured: dict[str, float] | None = None) -> NodeWithScore:
    metadata: dict[str, Any] = {**row.fields, **(measured or {})}
    return NodeWithScore(node=TextNode(id_=row.id, text=metadata.pop(FIELD.TEXT), metadata=metadata), score=row.score)


def _found(one: NodeWithScore) -> Found:
    node, metadata = one.node, one.node.metadata
    similarity = metadata.get(_SIMILARITY)
    return Found(
        chunk_id=node.node_id,
        document=metadata[FIELD.DOCUMENT],
        generation=int(metadata[FIELD.GENERATION]),
        page=int(metadata[FIELD.PAGE]) or None,
        title=metadata[FIELD.TITLE],
        heading=metadata[FIELD.HEADING],
        text=node.get_content(),
        score=one.score or 0.0,
        similarity=None if similarity is None else float(np.clip(similarity, 0.0, 1.0)),
    )


async def _both(first: Coroutine[Any, Any, Nodes], second: Coroutine[Any, Any, Nodes]) -> tuple[Nodes, Nodes]:
    """The results of both; when one fails, the other is not left running."""
    tasks = [asyncio.ensure_future(first), asyncio.ensure_future(second)]
    try:
        one, other = await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
    return one, other
