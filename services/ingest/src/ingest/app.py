"""The composition root of the ingest API: `uvicorn --factory ingest.app:create_app`."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Final

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi_offline import FastAPIOffline
from opskit.database import DATABASE_AWAY, open_database
from opskit.errors import Unavailable, error_response, install_error_handlers
from opskit.health import Check, health_router
from opskit.logging import configure_logging
from opskit.metrics import instrument
from opskit.request_context import RequestContextMiddleware
from opskit.settings import read_settings
from opskit.starting import StartMiddleware

from ingest import metrics
from ingest.adapters.celery_queue import CeleryQueue, create_task_app
from ingest.adapters.document_store import open_store
from ingest.adapters.folder_store import FolderStore
from ingest.adapters.folder_watcher import FolderWatcher
from ingest.adapters.s3_store import S3Store
from ingest.catalogue import Catalogue
from ingest.claims import Claims
from ingest.dead_letters import DeadLetters
from ingest.dependencies import Services
from ingest.dispatch import dispatch
from ingest.documents import Documents
from ingest.keys import DocumentName
from ingest.reconcile import compare_store
from ingest.routes import dead_letters, documents, events, knowledge_bases
from ingest.settings import Settings

log = structlog.get_logger(__name__)

DISPATCH_SECONDS: Final = 1.0
DESCRIPTION: Final = "Document in, searchable chunks out. An internal service: callers go through the gateway."


def create_app(settings: Settings | None = None) -> FastAPI:
    """The API; clients are made and closed in its lifespan."""
    settings = settings or read_settings(Settings)
    configure_logging("ingest", level=settings.log_level, json=settings.log_json)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        services = await asyncio.to_thread(_open, settings)
        app.state.services = services
        background = [asyncio.create_task(work) for work in _background(services)]
        try:
            yield
        finally:
            for task in background:
                task.cancel()
            for task in background:
                with suppress(asyncio.CancelledError):
                    await task
            services.engine.dispose()

    app = FastAPIOffline(title="Nexus ingest", version="0.1.0", description=DESCRIPTION, lifespan=lifespan)
    app.state.internal_token = settings.internal_token.get_secret_value()
    app.add_middleware(RequestContextMiddleware)
    app.add_middleware(StartMiddleware)
    install_error_handlers(app)
    for away in DATABASE_AWAY:
        app.add_exception_handler(away, _on_database_away)
    instrument(app)
    app.include_router(health_router(_checks(app, settings), optional=_optional_checks(app, settings)))
    for routes in (documents, knowledge_bases, dead_letters, events):
        app.include_router(routes.router)
    return app


async def _on_database_away(_: Request, exc: Exception) -> JSONResponse:
    log.warning("database_is_away", reason=str(exc))
    return error_response(Unavailable("The catalogue cannot be reached."))


def _open(settings: Settings) -> Services:
    engine = open_database(settings.ingest_database_url, migrations="ingest.migrations")
    store = open_store(settings)
    catalogue, claims = Catalogue(engine), Claims(engine)
    queue = CeleryQueue(create_task_app(str(settings.broker_url)))
    return Services(
        settings=settings,
        engine=engine,
        store=store,
        queue=queue,
        catalogue=catalogue,
        claims=claims,
        documents=Documents(store, catalogue, claims, queue),
        dead_letters=DeadLetters(engine),
    )


def _background(services: Services) -> list[Coroutine[None, None, None]]:
    """What goes on beside the requests: queueing what is due, and watching the folder."""

    def tick() -> None:
        dispatch(services.claims, services.queue)
        metrics.show(services.catalogue.overview())

    work = [_for_ever("dispatch", tick)]
    if isinstance(services.store, FolderStore):
        work.append(_watcher(services, services.store).run())
    return work


async def _for_ever(name: str, work: Callable[[], object]) -> None:
    while True:
        await _guarded(name, work)
        await asyncio.sleep(DISPATCH_SECONDS)


async def _guarded(name: str, work: Callable[[], object]) -> None:
    """Background work must outlive its failures: each is logged, counted, and tried again in its turn."""
    try:
        await asyncio.to_thread(work)
    except Exception:
        metrics.UNEXPECTED.labels(name).inc()
        log.exception("background_work_failed", work=name)


def _watcher(services: Services, store: FolderStore) -> FolderWatcher:
    def look(name: DocumentName) -> None:
        metrics.CHANGES_NOTICED.labels("watcher").inc(services.documents.notice(name))

    def compare_all() -> None:
        changes = compare_store(store, services.catalogue, services.documents)
        metrics.CHANGES_NOTICED.labels("watcher").inc(changes)

    async def notice(name: DocumentName) -> None:
        await _guarded("watcher", lambda: look(name))

    async def compare() -> None:
        await _guarded("watcher", compare_all)

    return FolderWatcher(store, notice=notice, compare=compare)


def _checks(app: FastAPI, settings: Settings) -> Mapping[str, Check]:
    """What ingest cannot do its work without. Milvus and Triton are the worker's; that they answer is enough here."""

    def services() -> Services:
        opened: Services = app.state.services
        return opened

    async def store() -> None:
        await asyncio.to_thread(lambda: services().store.check())

    async def catalogue() -> None:
        await asyncio.to_thread(lambda: services().catalogue.check())

    async def queue() -> None:
        await asyncio.to_thread(lambda: services().queue.check())

    async def milvus() -> None:
        await _answers(settings.milvus_url.host or "127.0.0.1", settings.milvus_url.port or 19530)

    async def embedder() -> None:
        host, _, port = settings.triton_grpc.rpartition(":")
        await _answers(host, int(port))

    return {"store": store, "catalogue": catalogue, "queue": queue, "milvus": milvus, "embedder": embedder}


def _optional_checks(app: FastAPI, settings: Settings) -> Mapping[str, Check]:
    """Without events a change is noticed by reconcile: later, but noticed."""

    async def events() -> None:
        store: S3Store = app.state.services.store
        await asyncio.to_thread(store.check_notifies, settings.s3_events_target)

    return {"events": events} if settings.store == "s3" and settings.s3_events_target else {}


async def _answers(host: str, port: int) -> None:
    _, writer = await asyncio.open_connection(host, port)
    writer.close()
