"""What may become of a release. Pure.

    candidate ──► rejected                                     the gate refused it; final
        └───────► challenger ──► rolled_back                   worse under real traffic, or an operator's word; final
                      └────────► champion ──► retired ──► champion      another took its place; it may come back

The release that the platform starts with (`start`) answers while there is no champion, and can always be gone back to.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from opskit.contracts.releases import ReleaseBundle, ServingTable


class State(StrEnum):
    """Where a release stands."""

    SEEN = "seen"
    """It answered once, which is all that is known of it."""
    START = "start"
    CANDIDATE = "candidate"
    REJECTED = "rejected"
    CHALLENGER = "challenger"
    CHAMPION = "champion"
    RETIRED = "retired"
    ROLLED_BACK = "rolled_back"


FINAL = frozenset({State.REJECTED, State.ROLLED_BACK})
_MAY_FOLLOW = {
    State.SEEN: {State.START},
    State.START: {State.SEEN},
    State.CANDIDATE: {State.REJECTED, State.CHALLENGER, State.CHAMPION},
    State.CHALLENGER: {State.CHAMPION, State.ROLLED_BACK},
    State.CHAMPION: {State.RETIRED},
    State.RETIRED: {State.CHAMPION},
}


class NotAllowed(Exception):
    """A release cannot become that; the message says why, for the person who asked."""


@dataclass(frozen=True)
class Change:
    """One step in a release's life, for the audit."""

    at: datetime
    release: str
    before: State
    after: State
    who: str
    why: str


@dataclass(frozen=True)
class Release:
    """A release, and what is needed to answer with it. `bundle` is None of one that was only seen."""

    id: str
    state: State
    bundle: ReleaseBundle | None = None
    run: str | None = None
    share: float = 0.0
    """Of the conversations, while it is the challenger."""


@dataclass(frozen=True)
class Moves:
    """Releases as they are after a decision, and what changed."""

    releases: tuple[Release, ...]
    changes: tuple[Change, ...] = field(default=())


def moved(release: Release, after: State, *, who: str, why: str, now: datetime) -> tuple[Release, Change]:
    """The release in its next state. Raises NotAllowed."""
    if after not in _MAY_FOLLOW.get(release.state, ()):
        final = " That is final." if release.state in FINAL else ""
        raise NotAllowed(f"{release.id} is {release.state.replace('_', ' ')} and cannot become {after}.{final}")
    share = release.share if after is State.CHALLENGER else 0.0
    return replace(release, state=after, share=share), Change(now, release.id, release.state, after, who, why)


def challenged(releases: Sequence[Release], wanted: str, share: float, *, who: str, why: str, now: datetime) -> Moves:
    """The wanted release gets a share of the conversations. Raises NotAllowed: another one is being tried."""
    trying = next((one for one in releases if one.state is State.CHALLENGER and one.id != wanted), None)
    if trying is not None:
        raise NotAllowed(f"{trying.id} is being tried; one challenger at a time.")
    release, change = moved(_named(releases, wanted), State.CHALLENGER, who=who, why=why, now=now)
    return Moves((replace(release, share=share),), (change,))


def promoted(releases: Sequence[Release], wanted: str, *, who: str, why: str, now: datetime) -> Moves:
    """The wanted release answers from now on: the champion retires, and a challenger that is another one is rolled
    back. For the start release that is all. Raises NotAllowed."""
    release = _named(releases, wanted)
    if release.state is State.CHAMPION or (release.state is State.START and champion_of(releases) is None):
        raise NotAllowed(f"{release.id} is the champion already.")
    if release.state is not State.START and release.bundle is None:
        raise NotAllowed(f"{release.id} is only known from its answers; there is nothing to serve it with.")
    made: list[tuple[Release, Change]] = []
    if release.state is not State.START:
        made.append(moved(release, State.CHAMPION, who=who, why=why, now=now))
    for other in releases:
        if other.id == release.id:
            continue
        if other.state is State.CHAMPION:
            made.append(moved(other, State.RETIRED, who=who, why=f"{release.id} took its place: {why}", now=now))
        if other.state is State.CHALLENGER:
            made.append(moved(other, State.ROLLED_BACK, who=who, why=f"{release.id} was promoted: {why}", now=now))
    return Moves(tuple(one for one, _ in made), tuple(change for _, change in made))


def withdrawn(releases: Sequence[Release], wanted: str, *, who: str, why: str, now: datetime) -> Moves:
    """The wanted release is the challenger no more. Raises NotAllowed: it is not."""
    release, change = moved(_named(releases, wanted), State.ROLLED_BACK, who=who, why=why, now=now)
    return Moves((release,), (change,))


def rolled_back(releases: Sequence[Release], *, before: Sequence[str], who: str, why: str, now: datetime) -> Moves:
    """A challenger is withdrawn; without one, the champion gives way to the one before it: the last of `before` that
    can still serve, else the start release. Raises NotAllowed: nothing to go back from."""
    challenger = next((one for one in releases if one.state is State.CHALLENGER), None)
    if challenger is not None:
        return withdrawn(releases, challenger.id, who=who, why=why, now=now)
    champion = champion_of(releases)
    if champion is None:
        raise NotAllowed("The release that the platform starts with is answering; there is nothing to go back to.")
    return promoted(releases, back_to(releases, before), who=who, why=why, now=now)


def back_to(releases: Sequence[Release], before: Sequence[str]) -> str:
    """Where a rollback leads: the last of the earlier champions that is retired, else the start release. Raises
    NotAllowed: there is neither."""
    by_id = {one.id: one for one in releases}
    for name in reversed(before):
        if name in by_id and by_id[name].state is State.RETIRED:
            return name
    start = next((one for one in releases if one.state is State.START), None)
    if start is None:
        raise NotAllowed("No earlier release is known.")
    return start.id


def champion_of(releases: Sequence[Release]) -> Release | None:
    """The champion; None while the start release answers."""
    return next((one for one in releases if one.state is State.CHAMPION), None)


def own_model(reader_digest: str) -> str:
    """What a reader is called that is served beside the one that Triton starts with."""
    return f"reader_{reader_digest[:12]}"


def serving_table(releases: Sequence[Release]) -> ServingTable:
    """What rag is told."""
    challenger = next((one for one in releases if one.state is State.CHALLENGER), None)
    champion = champion_of(releases)
    return ServingTable(
        champion=champion.bundle if champion else None,
        challenger=challenger.bundle if challenger else None,
        share=challenger.share if challenger else 0.0,
    )


def alias_of(release: Release, releases: Sequence[Release]) -> str | None:
    """`champion` or `challenger`, for whom it is."""
    if release.state is State.CHALLENGER:
        return "challenger"
    answers = release.state is State.CHAMPION or (release.state is State.START and champion_of(releases) is None)
    return "champion" if answers else None


def _named(releases: Sequence[Release], wanted: str) -> Release:
    release = next((one for one in releases if one.id == wanted), None)
    if release is None:
        raise NotAllowed(f"There is no release {wanted}.")
    return release
