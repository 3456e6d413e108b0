"""For other services: answers that were given, and the release that they start with."""

from typing import Annotated

from fastapi import APIRouter, Path
from opskit.contracts.answers import AnswerRecord
from opskit.contracts.releases import ReleaseBundle
from opskit.errors import NotFound
from opskit.identity import InternalCaller

from rag.dependencies import RagDep
from rag.routes.docs import errors

router = APIRouter(tags=["internal"])


@router.get(
    "/internal/answers/{answer_id}",
    operation_id="get_answer",
    summary="Show an answer with what it rested on",
    responses=errors(404),
)
async def get_answer(
    rag: RagDep, caller: InternalCaller, answer_id: Annotated[str, Path(max_length=256)]
) -> AnswerRecord:
    """For feedback: another tenant's answer does not exist."""
    record = await rag.answers.get(caller.tenant, answer_id)
    if record is None:
        raise NotFound("There is no such answer.")
    return record


@router.get(
    "/internal/release",
    operation_id="get_start_release",
    summary="Show the release that answers when there is no champion",
    responses=errors(),
)
async def get_start_release(rag: RagDep, caller: InternalCaller) -> ReleaseBundle:
    """rag's release file with the models that Triton starts with."""
    return await rag.lines.start()
