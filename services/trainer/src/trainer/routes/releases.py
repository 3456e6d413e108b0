"""Releases that feedback spoke of. Which one serves is settled in rag's release file in this version."""

from fastapi import APIRouter
from opskit.errors import NotFound
from opskit.identity import InternalCaller

from trainer.dependencies import Cursor, Feedback, Limit
from trainer.errors import NotInThisVersion
from trainer.feedback import SeenRelease
from trainer.ports import FeedbackStore
from trainer.routes.docs import errors
from trainer.schemas import ReleaseList, ReleaseShown, RollbackBody, Votes

router = APIRouter(tags=["releases"])

_NO_SWITCH = NotInThisVersion("This version serves the one release it was started with; it cannot switch releases.")


@router.get("/v1/releases", operation_id="list_releases", summary="List releases", responses=errors())
def list_releases(store: Feedback, _: InternalCaller, limit: Limit = 100, cursor: Cursor = None) -> ReleaseList:
    """The releases that feedback spoke of, with the standing votes of all tenants."""
    page = store.releases(limit=limit, before=cursor)
    return ReleaseList(releases=[_shown(release) for release in page.items], next_cursor=page.cursor)


@router.post(
    "/v1/releases/rollback",
    operation_id="rollback_release",
    summary="Go back to an earlier release",
    status_code=409,
    responses=errors(404, 409),
)
def rollback_release(store: Feedback, _: InternalCaller, body: RollbackBody | None = None) -> None:
    """Refused: there is nothing to go back to."""
    if body is not None and body.release is not None:
        _known(store, body.release)
    raise _NO_SWITCH


@router.get("/v1/releases/{release_id}", operation_id="get_release", summary="Show one release", responses=errors(404))
def get_release(store: Feedback, _: InternalCaller, release_id: str) -> ReleaseShown:
    """When it was seen, and its standing votes."""
    return _shown(_known(store, release_id))


@router.post(
    "/v1/releases/{release_id}/promote",
    operation_id="promote_release",
    summary="Make a release the champion",
    status_code=409,
    responses=errors(404, 409),
)
def promote_release(store: Feedback, _: InternalCaller, release_id: str) -> None:
    """Refused: this version does not switch releases."""
    _known(store, release_id)
    raise _NO_SWITCH


def _known(store: FeedbackStore, release_id: str) -> SeenRelease:
    release = store.release(release_id)
    if release is None:
        raise NotFound("There is no such release.", param="release_id")
    return release


def _shown(release: SeenRelease) -> ReleaseShown:
    return ReleaseShown(
        id=release.id,
        first_seen=release.first_seen,
        last_seen=release.last_seen,
        votes=Votes(up=release.up, down=release.down),
    )
