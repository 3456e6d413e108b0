"""Search, embeddings and the models there are."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from gateway.dependencies import Chatter, GatewayDep, Reader, body_of
from gateway.passing import CourierDep
from gateway.routes.docs import answers, json_request
from gateway.schemas.answers import (
    Embeddings,
    EmbeddingsRequest,
    ModelList,
    ModelShown,
    SearchRequest,
    SearchResult,
)

router = APIRouter(tags=["answers"])


@router.post(
    "/v1/search",
    operation_id="search",
    summary="Find passages, without an answer",
    responses=answers(SearchResult, errors=(413,), description="The passages, best first."),
    openapi_extra=json_request(SearchRequest),
)
async def search(
    gateway: GatewayDep,
    caller: Reader,
    body: Annotated[SearchRequest, Depends(body_of(SearchRequest))],
    courier: CourierDep,
) -> Response:
    """The retrieval an answer would rest on, bare."""
    return courier.relay(gateway.services.rag, "POST", "/v1/search", caller=caller, json=body.passed_on())


@router.post(
    "/v1/embeddings",
    operation_id="create_embeddings",
    summary="Turn texts into vectors",
    responses=answers(Embeddings, errors=(404, 413), description="One vector for each text."),
    openapi_extra=json_request(EmbeddingsRequest),
)
async def create_embeddings(
    gateway: GatewayDep,
    caller: Chatter,
    body: Annotated[EmbeddingsRequest, Depends(body_of(EmbeddingsRequest))],
    courier: CourierDep,
) -> Response:
    """The vectors that search uses, of unit length."""
    return courier.relay(gateway.services.rag, "POST", "/v1/embeddings", caller=caller, json=body.passed_on())


@router.get(
    "/v1/models",
    operation_id="list_models",
    summary="List the models",
    responses=answers(ModelList, description="The models."),
)
async def list_models(gateway: GatewayDep, caller: Chatter, courier: CourierDep) -> Response:
    """The models a request may name."""
    return courier.relay(gateway.services.rag, "GET", "/v1/models", caller=caller)


@router.get(
    "/v1/models/{model:path}",
    operation_id="get_model",
    summary="Show one model",
    responses=answers(ModelShown, errors=(404,), description="The model."),
)
async def get_model(gateway: GatewayDep, caller: Chatter, courier: CourierDep, model: str) -> ModelShown:
    """One of the models a request may name."""
    return await gateway.models.get(model, courier.headers(caller))
