"""Dead letters: documents that were given up."""

from typing import Annotated

from fastapi import APIRouter, Query
from opskit.identity import InternalCaller

from ingest.dependencies import AppServices
from ingest.routes.documents import status_of
from ingest.schemas import DeadLetterList, DeadLetterStatus, DocumentStatus, ErrorBody

router = APIRouter(tags=["dead letters"], responses={401: {"model": ErrorBody}})


@router.get("/v1/dead-letters", operation_id="list_dead_letters", summary="List documents that were given up")
def list_dead_letters(
    services: AppServices, caller: InternalCaller, limit: Annotated[int, Query(ge=1, le=1000)] = 100
) -> DeadLetterList:
    """The tenant's dead letters with their reasons, the latest first."""
    letters = services.dead_letters.of(caller.tenant, limit=limit)
    return DeadLetterList(
        dead_letters=[
            DeadLetterStatus(
                id=letter.document_id,
                document=letter.key,
                knowledge_base=letter.knowledge_base,
                etag=letter.etag,
                reason=letter.reason,
                attempts=letter.attempts,
                failed_at=letter.failed_at,
            )
            for letter in letters
        ]
    )


@router.post(
    "/v1/dead-letters/{letter_id}/replay",
    operation_id="replay_dead_letter",
    summary="Try a given-up document again",
    status_code=202,
    responses={404: {"model": ErrorBody}},
)
def replay_dead_letter(services: AppServices, caller: InternalCaller, letter_id: str) -> DocumentStatus:
    """Take the document out of the dead letters and queue it again."""
    return status_of(services.documents.replay(services.dead_letters, caller.tenant, letter_id))
