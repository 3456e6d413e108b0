"""Questions and answers."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from gateway.dependencies import Chatter, GatewayDep, answer_slot, body_of
from gateway.passing import CourierDep
from gateway.routes.docs import answers, json_request
from gateway.schemas.chat import ChatCompletion, ChatRequest
from gateway.usage import Tail

router = APIRouter(tags=["answers"])

ANSWERED = answers(
    ChatCompletion,
    errors=(404, 413),
    description=(
        "The answer; with `stream: true` server-sent events of OpenAI's chunks. The last chunk before `[DONE]` carries "
        "`citations` and `nexus`."
    ),
)
ANSWERED[200]["content"] = {"text/event-stream": {"schema": {"type": "string"}}}


@router.post(
    "/v1/chat/completions",
    operation_id="create_chat_completion",
    summary="Ask your documents",
    responses=ANSWERED,
    openapi_extra=json_request(ChatRequest),
)
async def create_chat_completion(
    gateway: GatewayDep,
    caller: Chatter,
    body: Annotated[ChatRequest, Depends(body_of(ChatRequest))],
    courier: CourierDep,
    _: Annotated[None, Depends(answer_slot)],
) -> Response:
    """An answer from the caller's documents, whole or streamed, with citations that were checked to be verbatim."""
    await gateway.models.ensure(body.model, courier.headers(caller))
    tail = Tail()
    return courier.relay(
        gateway.services.rag,
        "POST",
        "/v1/chat/completions",
        caller=caller,
        json=body.passed_on(),
        observer=tail,
        on_success=lambda: gateway.usage.answer(caller, tail),
    )
