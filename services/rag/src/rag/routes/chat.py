"""Questions and answers."""

import time
import uuid

from fastapi import APIRouter
from opskit.identity import DEFAULT_KNOWLEDGE_BASE, InternalCaller
from starlette.responses import Response

from rag.dependencies import RagDep
from rag.errors import ModelNotFound
from rag.openai_format import StreamFormat
from rag.responses import AnswerResponse, AnswerStream
from rag.routes.docs import errors
from rag.schemas import MODEL, ChatCompletion, ChatRequest, NexusOptions
from rag.understanding import Ask

router = APIRouter(tags=["answers"])


@router.post(
    "/v1/chat/completions",
    operation_id="create_chat_completion",
    summary="Answer a question from documents",
    response_model=None,
    responses={
        200: {
            "model": ChatCompletion,
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
            "description": "The answer; with `stream: true` as events, of which the last before `[DONE]` has "
            "`citations`, `nexus` and `usage`.",
        },
        **errors(400, 404),
    },
)
async def create_chat_completion(rag: RagDep, caller: InternalCaller, body: ChatRequest) -> Response:
    """Grounded in the tenant's documents, cited, and checked."""
    if body.model != MODEL and not await rag.answering.can_be_asked(body.model):
        raise ModelNotFound(f"The model {body.model[:80]!r} does not exist; use {MODEL!r}.", param="model")
    options = body.nexus or NexusOptions()
    ask = Ask(
        answer_id=f"ans_{uuid.uuid4().hex}",
        tenant=caller.tenant,
        knowledge_base=options.knowledge_base or DEFAULT_KNOWLEDGE_BASE,
        messages=body.turns(),
        conversation_id=options.conversation_id or f"conv_{uuid.uuid4().hex}",
        is_new_conversation=options.conversation_id is None,
        passages=options.top_k,
        release=None if body.model == MODEL else body.model,
        max_tokens=min((limit for limit in (body.max_tokens, body.max_completion_tokens) if limit), default=None),
    )
    events, created = rag.answering.answer(ask), int(time.time())
    if body.stream:
        return AnswerStream(events, StreamFormat(ask.answer_id, model=body.model, created=created))
    return AnswerResponse(events, model=body.model, created=created)
