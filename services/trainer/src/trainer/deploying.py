"""Putting releases to work: who serves is decided in SQL, and Triton is made to follow."""

import time
from collections.abc import Callable
from datetime import datetime

import structlog
from opskit.contracts.reader import READER_MODEL

from trainer.improvement.releases import (
    Moves,
    State,
    back_to,
    challenged,
    champion_of,
    promoted,
    rolled_back,
    withdrawn,
)
from trainer.ports import Readers, ReleaseStore, RunStore, Served

log = structlog.get_logger(__name__)

GRACE_SECONDS = 15.0
"""A model that nobody is sent to any more is kept so long: rag hears of it within seconds, and finishes its answers."""
PARTLY_SECONDS = 1800.0
"""A model that not all servers have may be on its way to them: a release is loaded everywhere before it is said to
serve, and a language model takes minutes."""


class Deployer:
    """Every method raises Unavailable where Triton or the database is away; then nothing has changed."""

    def __init__(self, releases: ReleaseStore, readers: Readers, served: Served) -> None:
        self._releases, self._readers, self._served = releases, readers, served
        self._unneeded: dict[tuple[str, float], float] = {}
        """Since when, by the model and how long it is borne with."""

    def try_out(self, release_id: str, share: float, *, who: str, why: str, now: datetime) -> Moves:
        """Load a release and give it a share of the conversations. Raises NotAllowed."""
        self._load(release_id)
        return self._move(lambda all_, _: challenged(all_, release_id, share, who=who, why=why, now=now))

    def promote(self, release_id: str, *, who: str, why: str, now: datetime) -> Moves:
        """A release answers from now on; it is loaded first. Raises NotAllowed."""
        releases = self._releases.all()
        promoted(releases, release_id, who=who, why=why, now=now)  # whether it is allowed, before anything is loaded
        self._load(release_id)
        return self._move(lambda all_, _: promoted(all_, release_id, who=who, why=why, now=now))

    def roll_back(self, *, who: str, why: str, now: datetime) -> Moves:
        """Back: from a challenger to the champion alone, or from the champion to the one before. Raises NotAllowed."""
        releases = self._releases.all()
        if all(one.state is not State.CHALLENGER for one in releases) and champion_of(releases) is not None:
            self._load(back_to(releases, self._releases.champions()))
        return self._move(lambda all_, before: rolled_back(all_, before=before, who=who, why=why, now=now))

    def withdraw(self, release_id: str, *, who: str, why: str, now: datetime) -> Moves:
        """A challenger answers no more; whoever else serves goes on. Raises NotAllowed: it is no challenger."""
        return self._move(lambda all_, _: withdrawn(all_, release_id, who=who, why=why, now=now))

    def withdraw_abandoned(self, runs: RunStore, *, now: datetime) -> None:
        """A challenger whose run has ended without a decision is watched by nobody, and would keep the next one out."""
        for release in self._releases.all():
            run = runs.get(release.run) if release.state is State.CHALLENGER and release.run else None
            if run is not None and run.outcome is not None:
                why = f"run {run.id} ended as {run.outcome} before it was decided"
                self.withdraw(release.id, who="pipeline", why=why, now=now)

    def reconcile(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Make Triton serve what the table says, and no more: what nobody needs goes, what is missing is loaded, the
        champion's before the challenger's."""
        wanted = {
            one.bundle.reader_model: one
            for one in sorted(self._releases.all(), key=lambda one: one.state is State.CHALLENGER)
            if one.state in (State.CHAMPION, State.CHALLENGER) and one.bundle is not None
        }
        loaded = self._served.loaded()
        self._unload(self._served.held() - wanted.keys(), loaded, clock())
        for model, release in wanted.items():
            if model != READER_MODEL and model not in loaded:
                log.warning("reader_missing", model=model, release=release.id)
                self._load(release.id)

    def _unload(self, unneeded: set[str], loaded: set[str], now: float) -> None:
        borne = {(model, GRACE_SECONDS if model in loaded else PARTLY_SECONDS) for model in unneeded}
        self._unneeded = {one: self._unneeded.get(one, now) for one in borne}
        for (model, seconds), since in self._unneeded.items():
            if now - since >= seconds:
                self._served.unload(model)
                log.info("reader_unloaded", model=model)

    def _load(self, release_id: str) -> None:
        release = next((one for one in self._releases.all() if one.id == release_id), None)
        if release is None or release.bundle is None or release.bundle.reader_model == READER_MODEL:
            return
        bundle = release.bundle
        self._served.load(bundle.reader_model, self._readers.of_release(bundle), bundle.reader_digest)

    def _move(self, decide: Callable[..., Moves]) -> Moves:
        moves = self._releases.move(decide)
        for change in moves.changes:
            log.info("release_changed", release=change.release, before=change.before.value, after=change.after.value,
                     who=change.who, why=change.why)  # fmt: skip
        return moves
