"""Which release answers a conversation."""

import hashlib
from dataclasses import dataclass
from typing import Protocol

import structlog
from opskit.contracts.reader import READER_MODEL
from opskit.contracts.releases import ReleaseBundle, ServingTable
from opskit.errors import InvalidRequest
from pydantic import ValidationError

from rag import metrics
from rag.ports import Served, ServedModels
from rag.release import ReleaseSettings, settings_of

log = structlog.get_logger(__name__)

_FORMED_AT_MOST = 16


@dataclass(frozen=True)
class Line:
    """A release that can answer now, and how it does."""

    release: str
    settings: ReleaseSettings
    reader_model: str = READER_MODEL
    """The Triton model that reads for it."""
    writes: bool = False


class Tables(Protocol):
    """Knows the serving table."""

    @property
    def table(self) -> ServingTable:
        """As last heard of; empty when nothing was ever heard."""


def in_canary(conversation_id: str, challenger: str, share: float) -> bool:
    """Whether a conversation is the challenger's: always the same ones of one challenger, and others of the next."""
    digest = hashlib.sha256(f"{challenger}/{conversation_id}".encode()).digest()
    return int.from_bytes(digest[:8]) < share * 2**64


class Lines:
    """The releases that may answer. Every method raises Unavailable while nobody knows what Triton serves."""

    def __init__(self, start: ReleaseSettings, models: ServedModels, tables: Tables) -> None:
        """`start` are the settings of the release that answers when there is no champion."""
        self._start, self._models, self._tables = start, models, tables
        self._formed: dict[tuple[str, Served], Line | None] = {}
        self._shown: dict[str, float] = {}

    async def of(self, conversation_id: str) -> list[Line]:
        """The line of the conversation, then those that step in, in turn, when it cannot answer."""
        challenger, standing, share = await self._known()
        self._show(challenger, standing[0], share)
        if challenger is not None and in_canary(conversation_id, challenger.release, share):
            return [challenger, *standing]
        return standing

    async def named(self, release: str) -> Line | None:
        """The one with this id, when it can be asked."""
        challenger, standing, _ = await self._known()
        return next((line for line in (challenger, *standing) if line is not None and line.release == release), None)

    async def champion(self) -> Line:
        """The one that answers most conversations."""
        _, standing, _ = await self._known()
        return standing[0]

    async def start(self) -> ReleaseBundle:
        """The one that answers when there is no champion."""
        return self._start.bundle_with(await self._models.current())

    async def line_of(self, bundle: ReleaseBundle) -> Line:
        """Any release, to try it out. Raises InvalidRequest where this rag cannot answer with it."""
        served = await self._models.current()
        if bundle.engine != served.engine:
            raise InvalidRequest(f"{bundle.release} is for a reader of the kind {bundle.engine}, not {served.engine}.")
        return Line(bundle.release, settings_of(bundle.settings), bundle.reader_model, served.writes)

    async def _known(self) -> tuple[Line | None, list[Line], float]:
        """The challenger; the champion and what steps in for it; the challenger's share."""
        served, table = await self._models.current(), self._tables.table
        first = self._first(served)
        champion = self._line(table.champion, served)
        # Another line helps only where it reads with another model.
        standing = [first] if champion is None else [champion]
        if standing[0].reader_model != first.reader_model:
            standing.append(first)
        return self._line(table.challenger, served), standing, table.share

    def _first(self, served: Served) -> Line:
        return Line(self._start.id_with(served), self._start, READER_MODEL, served.writes)

    def _line(self, bundle: ReleaseBundle | None, served: Served) -> Line | None:
        if bundle is None:
            return None
        key = (bundle.release, served)
        if key not in self._formed:
            if len(self._formed) >= _FORMED_AT_MOST:
                self._formed.clear()
            self._formed[key] = _formed(bundle, served)
        return self._formed[key]

    def _show(self, challenger: Line | None, champion: Line, share: float) -> None:
        shares = {champion.release: 1.0} if challenger is None else {champion.release: 1 - share}
        if challenger is not None:
            shares[challenger.release] = share
        if shares != self._shown:
            metrics.RELEASE.clear()
            for release, its in shares.items():
                metrics.RELEASE.labels(release).set(its)
                metrics.begin_at_zero(release)
            self._shown = shares


def _formed(bundle: ReleaseBundle, served: Served) -> Line | None:
    """The bundle as a line; None, said once, where this rag cannot or must not answer with it."""
    if bundle.engine != served.engine:
        # Whoever changed NEXUS_MODEL wants that model, not what was trained for another.
        log.warning("release_set_aside", release=bundle.release, its_engine=bundle.engine, engine=served.engine)
        return None
    try:
        settings = ReleaseSettings.model_validate(bundle.settings)
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        metrics.RELEASES_NOT_UNDERSTOOD.inc()
        log.error("release_not_understood", release=bundle.release, at=first["loc"], reason=first["msg"])
        return None
    return Line(bundle.release, settings, bundle.reader_model, served.writes)
