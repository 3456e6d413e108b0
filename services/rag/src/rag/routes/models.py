"""Models and vectors."""

from fastapi import APIRouter
from opskit.contracts.chunks import EMBEDDING_DIMENSION
from opskit.errors import InvalidRequest
from opskit.identity import InternalCaller
from starlette.responses import Response

from rag import openai_format
from rag.dependencies import RagDep
from rag.errors import ModelNotFound
from rag.routes.docs import errors
from rag.schemas import EMBEDDING_MODEL, EMBEDDING_MODEL_ALIAS, MODEL, EmbeddingsRequest, Model, ModelList

router = APIRouter(tags=["models"])


@router.get("/v1/models", operation_id="list_models", summary="List the models", responses=errors())
async def list_models(rag: RagDep, caller: InternalCaller) -> ModelList:
    """`nexus` answers; the other one embeds."""
    return ModelList(data=[Model(id=name, created=rag.started) for name in (MODEL, EMBEDDING_MODEL)])


@router.post(
    "/v1/embeddings",
    operation_id="create_embeddings",
    summary="Turn texts into vectors",
    response_model=None,
    responses={200: {"description": "OpenAI's list of embeddings, of unit length."}, **errors(400, 404)},
)
async def create_embeddings(rag: RagDep, caller: InternalCaller, body: EmbeddingsRequest) -> Response:
    """The vectors that search uses."""
    if body.model not in (EMBEDDING_MODEL, EMBEDDING_MODEL_ALIAS):
        raise ModelNotFound(f"The model {body.model[:80]!r} does not exist; use {EMBEDDING_MODEL!r}.", param="model")
    if body.dimensions not in (None, EMBEDDING_DIMENSION):
        raise InvalidRequest(f"This model has {EMBEDDING_DIMENSION} dimensions.", param="dimensions")
    texts = [body.input] if isinstance(body.input, str) else body.input
    embedded = await rag.embedder.embed(texts)
    content = openai_format.embeddings(embedded, model=body.model, as_base64=body.encoding_format == "base64")
    return Response(content, media_type="application/json")
