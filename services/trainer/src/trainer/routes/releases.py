"""Releases: what answers, what is tried, what answered before."""

from collections.abc import Callable
from datetime import UTC, datetime

from fastapi import APIRouter
from opskit.contracts.releases import ServingTable
from opskit.contracts.runs import RunOrder
from opskit.errors import NotFound
from opskit.identity import Caller, InternalCaller

from trainer.dependencies import Cursor, Limit, Parts, PartsDep
from trainer.errors import NotPossible
from trainer.feedback import SeenRelease
from trainer.improvement.releases import Moves, NotAllowed, Release, alias_of, champion_of, serving_table
from trainer.proposing import answering, proposal
from trainer.routes.docs import errors
from trainer.schemas import PromoteBody, ProposalBody, ReleaseList, ReleaseShown, RollbackBody, RunShown
from trainer.starting import add_alone, announce, new_run_id

router = APIRouter(tags=["releases"])


@router.get("/v1/releases", operation_id="list_releases", summary="List releases", responses=errors())
def list_releases(parts: PartsDep, _: InternalCaller, limit: Limit = 100, cursor: Cursor = None) -> ReleaseList:
    """Newest first, with the standing votes of all tenants."""
    page = parts.feedback.releases(limit=limit, before=cursor)
    every = {one.id: one for one in parts.releases.all()}
    return ReleaseList(
        releases=[_shown(seen, every[seen.id], list(every.values())) for seen in page.items if seen.id in every],
        next_cursor=page.cursor,
    )


@router.post(
    "/v1/releases",
    operation_id="propose_release",
    summary="Propose a release with other settings",
    status_code=202,
    responses=errors(400, 409),
)
def propose_release(parts: PartsDep, caller: InternalCaller, body: ProposalBody) -> RunShown:
    """A run that measures it against the champion, through the gate and a canary like any other; nothing is trained."""
    changes = {str(section): dict(values) for section, values in body.settings.items()}
    proposal(answering(parts.answers, parts.releases), changes, parts.answers, parts.releases)
    reason = body.reason or "settings proposed by hand"
    order = RunOrder(run_id=new_run_id(), reason=reason, knowledge_base=body.knowledge_base, settings=changes)
    run = add_alone(parts.runs, order, by=_who(caller))
    announce(run, parts.bridge, parts.queue)
    return RunShown.of(run)


@router.post(
    "/v1/releases/rollback",
    operation_id="rollback_release",
    summary="Go back to an earlier release",
    responses=errors(404, 409),
)
def rollback_release(parts: PartsDep, caller: InternalCaller, body: RollbackBody | None = None) -> ReleaseShown:
    """Without a release named: from a challenger to the champion alone, or from the champion to the one before."""
    body = body or RollbackBody()
    why = body.reason or "rolled back by hand"
    if body.release is not None:
        return _promoted(parts, caller, body.release, why)
    _move(lambda: parts.deployer.roll_back(who=_who(caller), why=why, now=datetime.now(UTC)))
    return _answering(parts)


@router.get("/v1/releases/{release_id}", operation_id="get_release", summary="Show one release", responses=errors(404))
def get_release(parts: PartsDep, _: InternalCaller, release_id: str) -> ReleaseShown:
    """What it is made of, how it was judged, and who did what with it."""
    return _detailed(parts, release_id)


@router.post(
    "/v1/releases/{release_id}/promote",
    operation_id="promote_release",
    summary="Make a release the champion",
    responses=errors(404, 409),
)
def promote_release(
    parts: PartsDep, caller: InternalCaller, release_id: str, body: PromoteBody | None = None
) -> ReleaseShown:
    """It answers from now on: it is loaded first, and rag hears of it within seconds."""
    return _promoted(parts, caller, release_id, (body and body.reason) or "promoted by hand")


@router.get(
    "/internal/serving",
    operation_id="get_serving",
    summary="Show which releases serve",
    responses=errors(),
)
def get_serving(parts: PartsDep, _: InternalCaller) -> ServingTable:
    """rag asks again and again."""
    return serving_table(parts.releases.all())


def _promoted(parts: Parts, caller: Caller, release_id: str, why: str) -> ReleaseShown:
    _known(parts, release_id)
    _move(lambda: parts.deployer.promote(release_id, who=_who(caller), why=why, now=datetime.now(UTC)))
    return _detailed(parts, release_id)


def _move(work: Callable[[], Moves]) -> Moves:
    try:
        return work()
    except NotAllowed as exc:
        raise NotPossible(str(exc)) from exc
    except FileNotFoundError as exc:
        raise NotPossible(f"Its files are gone: {exc}") from exc


def _answering(parts: Parts) -> ReleaseShown:
    """The release that answers now."""
    releases = parts.releases.all()
    champion = champion_of(releases) or next(one for one in releases if alias_of(one, releases) == "champion")
    return _detailed(parts, champion.id)


def _detailed(parts: Parts, release_id: str) -> ReleaseShown:
    seen = _known(parts, release_id)
    every = parts.releases.all()
    release = next(one for one in every if one.id == release_id)
    shown = _shown(seen, release, every)
    return shown.with_details(parts.releases.parts(release_id), parts.releases.changes(release_id))


def _known(parts: Parts, release_id: str) -> SeenRelease:
    seen = parts.feedback.release(release_id)
    if seen is None:
        raise NotFound("There is no such release.", param="release_id")
    return seen


def _shown(seen: SeenRelease, release: Release, every: list[Release]) -> ReleaseShown:
    return ReleaseShown.of(seen, release, alias_of(release, every))


def _who(caller: Caller) -> str:
    return caller.key_id or "nobody"
