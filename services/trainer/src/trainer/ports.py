"""What routes and steps need of the outside, as small as it gets."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from nexus_serving.engines.opening import Reader
from opskit.contracts.releases import ReleaseBundle
from opskit.contracts.runs import Outcome, RunOrder, RunReport
from opskit.contracts.trials import Trial, TrialAnswer

from trainer.feedback import KeptVote, Page, Receipt, SeenRelease, Vote
from trainer.improvement.canary import Traffic
from trainer.improvement.evaluating import Question
from trainer.improvement.examples import Shown
from trainer.improvement.releases import Change, Moves, Release
from trainer.improvement.runs import Run, RunTotals, Status
from trainer.improvement.stages import Stage


class FeedbackStore(Protocol):
    """Where votes are kept. Blocking: call it off the event loop. Every method raises Unavailable."""

    def keep(self, vote: Vote, *, now: datetime) -> Receipt:
        """Keep the vote, in place of an earlier one of the same key on the same answer. Durable when this returns."""

    def votes(self, tenant: str, *, limit: int, before: int | None) -> Page[KeptVote]:
        """A page of the tenant's votes."""

    def every(self, *, knowledge_base: str | None = None) -> Iterable[KeptVote]:
        """All votes of all tenants, the oldest first."""

    def recent(self, *, since: datetime, of_a_voter: int) -> Mapping[tuple[str, str], int]:
        """Votes given since then by release and rating, of which those of one voter count at most so many times."""

    def releases(self, *, limit: int, before: int | None) -> Page[SeenRelease]:
        """A page of the releases that are known."""

    def release(self, release_id: str) -> SeenRelease | None:
        """One of them."""

    def release_ids(self) -> list[str]:
        """All of them, by id."""

    def expire(self, *, before: datetime) -> int:
        """Forget votes last given before then; says how many. Releases stay."""

    def check(self) -> None:
        """Return when the store answers."""


class RunStore(Protocol):
    """Where runs are kept. Blocking; every method raises Unavailable."""

    def add(self, run: Run) -> bool:
        """Keep a new run; False when it is there already."""

    def get(self, run_id: str) -> Run | None:
        """One run with its stages."""

    def page(self, *, limit: int, before: int | None) -> Page[Run]:
        """Some runs, the newest first."""

    def unfinished(self, target: str | None = None) -> list[Run]:
        """Runs that have not ended, the oldest first."""

    def unreported(self) -> list[Run]:
        """Runs that ended, and alert-bridge does not know it."""

    def last_sign(self, run_id: str) -> datetime | None:
        """When somebody was last known to work on it."""

    def sign(self, run_id: str, *, now: datetime) -> None:
        """Somebody works on it."""

    def claim(self, run_id: str, seen: datetime | None, *, now: datetime) -> bool:
        """Sign, unless somebody did so after the sign that was seen; False then."""

    def begin(self, run_id: str, stage: Stage, *, now: datetime) -> int:
        """A stage begins; says which attempt this is."""

    def finish(self, run_id: str, stage: Stage, status: Status, says: str, *, now: datetime) -> None:
        """A stage has ended, well or not."""

    def end(self, run_id: str, outcome: Outcome, says: str, *, now: datetime) -> None:
        """The run has ended. What ended once stays as it ended."""

    def name_release(self, run_id: str, release: str) -> None:
        """The candidate has an id."""

    def keep_verdict(self, run_id: str, verdict: dict[str, Any]) -> None:
        """What the gate decided."""

    def verdict(self, run_id: str) -> dict[str, Any] | None:
        """What the gate decided, if it has."""

    def reported(self, run_id: str) -> None:
        """alert-bridge knows how it ended."""

    def totals(self) -> RunTotals:
        """For Prometheus."""


class ReleaseStore(Protocol):
    """Where releases are kept. Blocking; every method raises Unavailable."""

    def all(self) -> list[Release]:
        """Every release that is known, in the order in which they became known."""

    def start_with(self, bundle: ReleaseBundle, *, now: datetime) -> None:
        """The release that the platform starts with."""

    def add(self, release: Release, parts: dict[str, Any], *, now: datetime) -> None:
        """Keep a candidate with what it is made of. One that is known already stays as it is."""

    def parts(self, release_id: str) -> dict[str, Any] | None:
        """What a release is made of."""

    def move(self, decide: Callable[[Sequence[Release], Sequence[str]], Moves]) -> Moves:
        """Decide on the releases as they are, one caller at a time, and keep what changed. Raises NotAllowed."""

    def champions(self) -> list[str]:
        """Every release that was the champion, the last one last."""

    def changes(self, release_id: str) -> list[Change]:
        """The audit of one release, the oldest first."""


class Answers(Protocol):
    """What rag knows. Raises Unavailable."""

    def start_release(self) -> ReleaseBundle:
        """The release that answers when there is no champion."""

    def found(self, tenant: str, knowledge_base: str, query: str) -> Sequence[Shown]:
        """What a search returns."""

    def checked(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Settings of a release as rag understands them. Raises InvalidRequest, which says what is wrong where."""

    def tried(self, tenant: str, trial: Trial) -> TrialAnswer:
        """What a release says to a question. Raises ReaderFailed where it is the release's own fault that it cannot."""


class Readers(Protocol):
    """Opens readers to be asked here, apart from those that serve."""

    def of_release(self, bundle: ReleaseBundle) -> Path:
        """The folder of a release's reader. Raises FileNotFoundError."""

    def keep(self, bundle: ReleaseBundle, reader: Path) -> Path:
        """Keep a reader's files as those of a release, for as long as it may serve; where they are then."""

    def base_model(self, folder: Path) -> Path:
        """The GGUF that the language model in a folder is made of. Raises ReaderFailed."""

    def boldness(self, folder: Path, questions: Sequence[Question]) -> list[float]:
        """The score of an extractive reader's best answer to each question, whether it would be said or not. Raises
        ReaderFailed."""

    def open(self, folder: Path) -> Reader:
        """The reader in a folder. Raises ReaderFailed when it cannot be used."""


class Served(Protocol):
    """The models in Triton. Raises Unavailable."""

    def load(self, model: str, reader: Path, digest: str) -> None:
        """Serve a reader beside the others; returns when it answers."""

    def unload(self, model: str) -> None:
        """No longer serve it. One that is not served is fine."""

    def loaded(self) -> set[str]:
        """The models that can be asked now."""

    def held(self) -> set[str]:
        """The models that take room anywhere, whether they can be asked or not."""


class TrafficFigures(Protocol):
    """What Prometheus saw. Raises Unavailable."""

    def of(self, release: str, *, seconds: float) -> Traffic:
        """One release over the last so many seconds."""


class Tracker(Protocol):
    """The record of experiments, models and prompts. Raises Unavailable."""

    def record(
        self, run: Run, *, figures: Mapping[str, float], settings: Mapping[str, Any], files: Path
    ) -> dict[str, str]:
        """Keep a run's figures and files; its names in the record."""

    def register(
        self, release: Release, parts: Mapping[str, Any], reader: Path | None, *, run: Mapping[str, str]
    ) -> dict[str, str]:
        """Keep a release as a version of the registered model; its names there. Kept already, the same names again.
        `reader` is None where it has none of its own."""

    def alias(self, release_id: str, alias: str | None) -> None:
        """Move `champion` or `challenger` to a release's version; None takes both away from it."""


class RunQueue(Protocol):
    """Where work waits for the worker. Raises Unavailable."""

    def advance(self, run_id: str) -> None:
        """Somebody should do the next stage of a run."""


class Bridge(Protocol):
    """alert-bridge. Raises Unavailable."""

    def started(self, order: RunOrder) -> None:
        """A run was started here by hand."""

    def ended(self, run_id: str, report: RunReport) -> None:
        """A run has ended."""
