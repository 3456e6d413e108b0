"""Retrieval, bare."""

import orjson
from fastapi import APIRouter
from opskit.identity import DEFAULT_KNOWLEDGE_BASE, InternalCaller
from starlette.responses import Response

from rag.dependencies import RagDep
from rag.retrieve import retrieve
from rag.routes.docs import errors
from rag.schemas import SearchRequest, SearchResult

router = APIRouter(tags=["answers"])

DEFAULT_TOP_K = 10


@router.post(
    "/v1/search",
    operation_id="search",
    summary="Find passages, without an answer",
    response_model=None,
    responses={200: {"model": SearchResult, "description": "The passages, best first."}, **errors(400)},
)
async def search(rag: RagDep, caller: InternalCaller, body: SearchRequest) -> Response:
    """The retrieval an answer would rest on."""
    top_k = body.top_k or DEFAULT_TOP_K
    found = await retrieve(
        rag.retriever,
        body.query,
        tenant=caller.tenant,
        knowledge_base=body.knowledge_base or DEFAULT_KNOWLEDGE_BASE,
        wanted=top_k,
        settings=(await rag.lines.champion()).settings.retrieval,
    )
    hits = [
        {
            "document": one.document,
            "chunk_id": one.chunk_id,
            "text": one.text,
            "score": round(one.score, 4),
            "page": one.page,
            "title": one.title,
            "heading": one.heading,
        }
        for one in found[:top_k]
    ]
    return Response(orjson.dumps({"hits": hits}), media_type="application/json")
