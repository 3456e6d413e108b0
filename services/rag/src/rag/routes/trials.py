"""For trainer: are these settings any good?"""

from fastapi import APIRouter, Depends
from opskit.contracts.reader import Passage, Turn
from opskit.contracts.trials import SettingsCheck, TrialAnswer
from opskit.identity import InternalCaller, require_internal_token

from rag.dependencies import RagDep
from rag.ports import Found
from rag.release import settings_of
from rag.routes.docs import errors
from rag.schemas import TrialRequest
from rag.understanding import Ask

router = APIRouter(tags=["internal"])


@router.post(
    "/internal/settings/check",
    operation_id="check_settings",
    summary="Check prompt and retrieval settings",
    dependencies=[Depends(require_internal_token)],
    responses=errors(400),
)
async def check_settings(body: SettingsCheck) -> SettingsCheck:
    """As they are understood here, or what is wrong with them and where."""
    return SettingsCheck(settings=settings_of(body.settings).model_dump(mode="json"))


@router.post(
    "/internal/trials",
    operation_id="try_release",
    summary="Ask a release that need not serve",
    responses=errors(400),
)
async def try_release(rag: RagDep, caller: InternalCaller, body: TrialRequest) -> TrialAnswer:
    """It is answered like any question, but nothing is kept and nothing counts as a user's answer."""
    line = await rag.lines.line_of(body.release)
    ask = Ask(
        answer_id="",
        tenant=caller.tenant,
        knowledge_base=body.knowledge_base,
        messages=[Turn(role="user", content=body.question)],
        conversation_id="",
        is_new_conversation=True,
        given=None if body.passages is None else [_found(passage) for passage in body.passages],
    )
    return await rag.answering.tried(ask, line)


def _found(passage: Passage) -> Found:
    """A passage that was handed in, as if a search had found it."""
    return Found(
        chunk_id="",
        document=passage.document,
        generation=0,
        page=passage.page,
        title=passage.title,
        heading=passage.heading,
        text=passage.text,
        score=1.0,
    )
