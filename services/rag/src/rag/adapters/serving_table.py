"""The serving table: asked of trainer again and again, and kept in SQL for a start without trainer."""

import asyncio

import httpx
import structlog
from opskit.contracts.releases import ServingTable
from opskit.database import DATABASE_AWAY
from opskit.identity import Caller
from pydantic import ValidationError
from sqlalchemy import Engine, Integer, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from rag import metrics
from rag.adapters.sql_answers import Base

log = structlog.get_logger(__name__)

_ROW = 1
_CALLER = Caller("default", "rag")


class ServingRow(Base):
    """The table as last heard of, as its contract's JSON."""

    __tablename__ = "serving"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    serving: Mapped[str] = mapped_column(Text)


class TrainerTable:
    """Satisfies `Tables`. While trainer is away what is known stays known."""

    def __init__(self, client: httpx.AsyncClient, engine: Engine, *, token: str, every_seconds: float) -> None:
        self._client, self._engine, self._every_seconds = client, engine, every_seconds
        self._headers = _CALLER.headers(token)
        self._table = ServingTable()
        self._away = False

    @property
    def table(self) -> ServingTable:
        """As last heard of."""
        return self._table

    def recall(self) -> None:
        """Take up what was kept before the last stop. Blocking."""
        with Session(self._engine) as session:
            kept = session.scalar(select(ServingRow.serving).where(ServingRow.id == _ROW))
        if kept is not None:
            self._table = ServingTable.model_validate_json(kept)

    async def keep_current(self) -> None:
        """Ask until cancelled."""
        while True:
            try:
                await self.refresh()
                self._away = False
            except (httpx.HTTPError, ValidationError) as exc:
                metrics.TABLE_NOT_HEARD.inc()
                if not self._away:
                    log.warning("serving_table_not_heard", reason=repr(exc)[:300])
                self._away = True
            await asyncio.sleep(self._every_seconds)

    async def refresh(self) -> None:
        """Ask now. Raises httpx.HTTPError and ValidationError."""
        response = (await self._client.get("/internal/serving", headers=self._headers)).raise_for_status()
        heard = ServingTable.model_validate_json(response.content)
        if heard == self._table:
            return
        self._table = heard
        names = {
            who: bundle and bundle.release
            for who, bundle in (("champion", heard.champion), ("challenger", heard.challenger))
        }
        log.info("serving_table_changed", share=heard.share, **names)
        try:
            await asyncio.to_thread(self._keep, heard)
        except DATABASE_AWAY as exc:  # it serves all the same, and is asked for again after the next start
            log.warning("serving_table_not_kept", reason=repr(exc)[:300])

    def _keep(self, table: ServingTable) -> None:
        with Session(self._engine) as session, session.begin():
            session.merge(ServingRow(id=_ROW, serving=table.model_dump_json()))
