"""Votes on answers."""

import re
from typing import Annotated

from fastapi import APIRouter, Depends
from opskit.contracts.answers import AnswerRecord, FeedbackSubmission
from opskit.errors import NotFound
from starlette.responses import Response

from gateway.dependencies import Chatter, GatewayDep, body_of
from gateway.errors import ServiceDown
from gateway.fetch import fetch
from gateway.passing import CourierDep
from gateway.ports import Call, Upstream
from gateway.routes.docs import answers, json_request
from gateway.schemas.answers import FeedbackRequest, FeedbackShown

router = APIRouter(tags=["feedback"])

_ANSWER_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


@router.post(
    "/v1/feedback",
    operation_id="create_feedback",
    summary="Vote on an answer",
    status_code=201,
    responses=answers(FeedbackShown, status=201, errors=(404, 413), description="The vote is kept."),
    openapi_extra=json_request(FeedbackRequest),
)
async def create_feedback(
    gateway: GatewayDep,
    caller: Chatter,
    body: Annotated[FeedbackRequest, Depends(body_of(FeedbackRequest))],
    courier: CourierDep,
) -> Response:
    """One vote per key and answer; a second replaces the first. A correction teaches the next release."""
    record = await _answer(gateway.services.rag, body.answer_id, courier.headers(caller))
    submission = FeedbackSubmission(answer=record, rating=body.rating, comment=body.comment, correction=body.correction)
    return courier.relay(
        gateway.services.trainer,
        "POST",
        "/v1/feedback",
        caller=caller,
        json=submission.model_dump_json().encode(),
    )


async def _answer(rag: Upstream, answer_id: str, headers: dict[str, str]) -> AnswerRecord:
    unknown = NotFound("There is no such answer.", param="answer_id")
    if not _ANSWER_ID.fullmatch(answer_id):
        raise unknown
    status, body = await fetch(rag, Call("GET", f"/internal/answers/{answer_id}", headers))
    if status == 404:
        raise unknown
    if status != 200:
        raise ServiceDown(rag.name, f"status {status}")
    return AnswerRecord.model_validate_json(body)
