"""For other services: answers that were given, and the release that they start with."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from opskit.contracts.answers import AnswerPage, AnswerRecord
from opskit.contracts.releases import ReleaseBundle
from opskit.errors import NotFound
from opskit.identity import InternalCaller, require_internal_token
from starlette.responses import Response

from rag.dependencies import RagDep
from rag.routes.docs import errors

router = APIRouter(tags=["internal"])

After = Annotated[str | None, Query(pattern=r"^[0-9a-f]{1,15}$", description="`next_cursor` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=200, description="At most so many.")]


@router.get(
    "/internal/answers",
    operation_id="list_kept_answers",
    summary="Go through the answers of all tenants as they were kept",
    dependencies=[Depends(require_internal_token)],
    response_model=None,
    responses={200: {"model": AnswerPage, "description": "The oldest first."}, **errors(400)},
)
async def list_kept_answers(rag: RagDep, after: After = None, limit: Limit = 50) -> Response:
    """For watching how well is answered, apart from the answering. `next_cursor` is to be asked from the next time, now
    or later: no answer is missed, however late it was committed."""
    kept = await rag.answers.kept_after(int(after or "0", 16), limit=limit)
    # The records are JSON already. Reading and writing them again would take from those who wait for an answer.
    body = f'{{"answers":[{",".join(kept.records)}],"next_cursor":"{kept.cursor:x}"}}'
    return Response(body, media_type="application/json")


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
