"""Votes on answers."""

from datetime import UTC, datetime

from fastapi import APIRouter
from opskit.errors import NotFound
from opskit.identity import InternalCaller

from trainer import metrics
from trainer.dependencies import Cursor, Feedback, Limit, Voter
from trainer.feedback import KeptVote, Vote
from trainer.routes.docs import errors
from trainer.schemas import FeedbackBody, FeedbackList, FeedbackReceipt, FeedbackShown

router = APIRouter(tags=["feedback"])


@router.post(
    "/v1/feedback",
    operation_id="create_feedback",
    summary="Keep a vote with the answer it is about",
    status_code=201,
    responses=errors(404),
)
def create_feedback(store: Feedback, caller: Voter, body: FeedbackBody) -> FeedbackReceipt:
    """One vote per key and answer; a second replaces the first."""
    if body.answer.tenant != caller.tenant:
        raise NotFound("There is no such answer.", param="answer_id")
    vote = Vote(caller.tenant, caller.key_id, body.answer, body.rating, body.comment, body.correction)
    receipt = store.keep(vote, now=datetime.now(UTC))
    metrics.count(receipt)
    return FeedbackReceipt(
        feedback_id=receipt.kept.id,
        answer_id=body.answer.answer_id,
        rating=body.rating,
        replaced=receipt.before is not None,
        created_at=receipt.kept.created_at,
    )


@router.get("/v1/feedback", operation_id="list_feedback", summary="List the tenant's votes", responses=errors())
def list_feedback(store: Feedback, caller: InternalCaller, limit: Limit = 100, cursor: Cursor = None) -> FeedbackList:
    """Newest first. A vote that was replaced keeps its place."""
    page = store.votes(caller.tenant, limit=limit, before=cursor)
    return FeedbackList(feedback=[_shown(kept) for kept in page.items], next_cursor=page.cursor)


def _shown(kept: KeptVote) -> FeedbackShown:
    vote = kept.vote
    return FeedbackShown(
        feedback_id=kept.id,
        answer_id=vote.answer.answer_id,
        release=vote.answer.release,
        knowledge_base=vote.answer.knowledge_base,
        question=vote.answer.question,
        answer=vote.answer.answer,
        abstained=vote.answer.abstained,
        rating=vote.rating,
        comment=vote.comment,
        correction=vote.correction,
        created_at=kept.created_at,
        updated_at=kept.updated_at,
    )
