"""From a change in the bucket to an indexed document in three processes that may run anywhere: what one has done goes
to the next as a file, and with it the claim, held for as long as a pod may take to start.

Each step may be repeated. Whoever finds the claim lost takes the document again, unless a newer version is wished for
or somebody else is at it; a worker and a workflow never work on the same document.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from ingest.catalogue import Clock, utc_now
from ingest.claims import Claim, Claims
from ingest.documents import Documents
from ingest.heartbeat import Heartbeat
from ingest.keys import DocumentName
from ingest.pipeline import Loaded, Outcome, Part, Pipeline, checked
from ingest.ports import Vectors

HANDOVER: Final = timedelta(minutes=10)
"""How long a claim waits for the next step."""


@dataclass(frozen=True, slots=True)
class HandedOver:
    """What a step leaves to the next."""

    claim: Claim
    loaded: Loaded


@dataclass(frozen=True, slots=True)
class Busy:
    """Somebody else is at the document, or it has to wait a little."""


class NoQueue:
    """Satisfies `TaskQueue` for a process that does itself what it wishes for."""

    def submit(self, document_id: str, *, urgent: bool = False) -> None:
        """Nobody else is asked; what this process leaves undone the dispatcher finds."""

    def depth(self) -> int:
        """Always empty."""
        return 0

    def check(self) -> None:
        """There is nothing to be away."""


class Steps:
    """The work of one step. Outcomes are those of the pipeline; `Busy` is worth another try."""

    def __init__(self, documents: Documents, claims: Claims, pipeline: Pipeline, clock: Clock = utc_now) -> None:
        self._documents, self._claims, self._pipeline, self._clock = documents, claims, pipeline, clock

    def load(self, name: DocumentName) -> HandedOver | Outcome | Busy:
        """Look at the store and read what is there; a document that is gone is removed at once."""
        self._documents.notice(name)
        claim = self._claimed(name, _new_owner())
        if not isinstance(claim, Claim):
            return claim
        if claim.is_removal:
            return self._beating(claim, lambda claim: self._pipeline.run(claim))
        loaded = self._beating(claim, lambda claim: self._pipeline.bounded(claim, self._pipeline.load))
        return self._held(claim, HandedOver(claim, loaded)) if isinstance(loaded, Loaded) else loaded

    def embed(self, handed: HandedOver) -> Vectors | Outcome | Busy:
        """Vectors for the chunks, those from before included."""

        def work(claim: Claim) -> Vectors:
            return self._pipeline.embed(claim, handed.loaded)

        claim = self._taken_up(handed)
        if not isinstance(claim, Claim):
            return claim
        vectors = self._beating(claim, lambda claim: self._pipeline.bounded(claim, work))
        return vectors if isinstance(vectors, str) else self._held(claim, vectors)

    def write(self, handed: HandedOver, vectors: Vectors) -> Outcome | Busy:
        """Make it searchable: the new generation appears whole, then the old one goes."""

        def work(claim: Claim) -> Outcome:
            known = checked(vectors, expected=len(handed.loaded.extracted.chunks))
            if self._pipeline.embedder.fingerprint() != handed.loaded.fingerprint:
                self._claims.released(claim)  # vectors of an embedder that serves no more are of no use to anybody
                return "superseded"
            return self._pipeline.write(claim, handed.loaded, known)

        claim = self._taken_up(handed)
        if not isinstance(claim, Claim):
            return claim
        return self._beating(claim, lambda claim: self._pipeline.bounded(claim, work))

    def settle(self, name: DocumentName) -> Outcome | Busy:
        """Look at the store and bring the document to the state it is found in: removed, when it is gone."""
        self._documents.notice(name)
        claim = self._claimed(name, _new_owner())
        return self._beating(claim, self._pipeline.run) if isinstance(claim, Claim) else claim

    def _claimed(self, name: DocumentName, owner: str) -> Claim | Outcome | Busy:
        claim = self._claims.claim(name.id, owner)
        return claim or (Busy() if self._claims.is_left_undone(name.id) else "nothing")

    def _taken_up(self, handed: HandedOver) -> Claim | Outcome | Busy:
        """The claim again; or, where it was lost, a new one for the same version, which the next step finds, too."""
        held = handed.claim
        claim = self._claims.resume(held) or self._claimed(held.name, held.owner)
        if isinstance(claim, Claim) and claim.revision != handed.claim.revision:
            self._claims.released(claim)
            return "superseded"
        return claim

    def _beating(self, claim: Claim, work: Callable[[Claim], Part]) -> Part:
        heartbeat = Heartbeat(self._claims, claim.owner)
        heartbeat.start()
        try:
            with heartbeat.working_on(claim.name.id):
                return work(claim)
        finally:
            heartbeat.stop()

    def _held(self, claim: Claim, part: Part) -> Part | Outcome:
        """`part`, to be gone on with under the same claim."""
        return part if self._claims.hold(claim, until=self._clock() + HANDOVER) else "superseded"


def _new_owner() -> str:
    """One for all steps of a workflow."""
    return f"workflow:{uuid.uuid4().hex}"
