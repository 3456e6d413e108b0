"""The composition root: makes the clients, wires the parts, and closes them in order."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial

import httpx
from fastapi import Depends, FastAPI
from fastapi_offline import FastAPIOffline
from opskit.database import open_database
from opskit.errors import install_error_handlers
from opskit.health import Check, health_router
from opskit.http import create_http_client
from opskit.logging import configure_logging
from opskit.metrics import instrument
from opskit.request_context import RequestContextMiddleware
from opskit.settings import read_settings
from opskit.starting import StartMiddleware
from pydantic import AnyHttpUrl, SecretStr

from gateway import keys
from gateway.adapters.http_upstream import HttpUpstream
from gateway.adapters.limiters import LocalLimiter, RedisLimiter
from gateway.adapters.sql import SqlKeys, SqlUsage
from gateway.dependencies import Gateway, Services, request_slot
from gateway.keyring import KeyRing
from gateway.limits import SteadyLimiter
from gateway.measure import MeasureMiddleware
from gateway.models_known import KnownModels
from gateway.openapi import DESCRIPTION, TAGS, TITLE, describe
from gateway.ports import KeyStore, Upstream
from gateway.routes import chat, documents, feedback, operations, retrieval
from gateway.routes import keys as key_routes
from gateway.settings import Settings
from gateway.shutdown import Farewell
from gateway.slots import Slots
from gateway.stack import StackWatch, require_ready
from gateway.usage import UsageMeter

ROUTERS = (
    chat.router,
    retrieval.router,
    documents.router,
    feedback.router,
    key_routes.router,
    operations.router,
)
DEFAULT_TENANT = "default"

Transports = Callable[[str], httpx.AsyncBaseTransport | None]
"""Gives the transport of a service by its name; None for real HTTP. Tests stand their own applications behind it."""


def create_app(settings: Settings | None = None, *, transports: Transports = lambda _: None) -> FastAPI:
    """The gateway. Clients are made when it starts, so describing it needs no network."""
    settings = settings or read_settings(Settings)
    configure_logging("gateway", level=settings.log_level, json=settings.log_json)
    checks: dict[str, Check] = {}
    optional_checks: dict[str, Check] = {}

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            app.state.gateway = await _open(settings, transports, stack, checks, optional_checks)
            yield

    app = FastAPIOffline(
        title=TITLE,
        version="0.1.0",
        description=DESCRIPTION,
        openapi_tags=TAGS,
        lifespan=lifespan,
        redirect_slashes=False,
    )
    app.add_middleware(MeasureMiddleware)
    app.add_middleware(RequestContextMiddleware)
    app.add_middleware(StartMiddleware)
    install_error_handlers(app)
    instrument(app)
    for router in ROUTERS:
        app.include_router(router, dependencies=[Depends(request_slot)])
    app.include_router(health_router(checks, optional=optional_checks))
    app.openapi = partial(describe, app)  # type: ignore[method-assign] # FastAPI's documented way to extend it
    return app


async def _open(
    settings: Settings,
    transports: Transports,
    stack: AsyncExitStack,
    checks: dict[str, Check],
    optional_checks: dict[str, Check],
) -> Gateway:
    """Make the parts; `stack` closes them, the last one first."""
    engine = await asyncio.to_thread(open_database, settings.gateway_database_url, migrations="gateway.migrations")
    stack.callback(engine.dispose)
    store, usage_store = SqlKeys(engine), SqlUsage(engine)
    await asyncio.to_thread(_ensure_bootstrap_key, store, settings.bootstrap_key)

    shared = RedisLimiter(str(settings.redis_url), settings.rate_limit_per_minute)
    stack.push_async_callback(shared.close)
    limiter = SteadyLimiter(shared, LocalLimiter(settings.rate_limit_per_minute))
    services = await _open_services(settings, transports, stack)
    usage = UsageMeter(usage_store)
    await stack.enter_async_context(usage.flushing(every=settings.usage_flush_seconds))
    farewell = Farewell()
    stack.enter_context(farewell.on_sigterm(drain_seconds=settings.drain_seconds))

    checks.update(
        shutdown=farewell.check,
        database=partial(asyncio.to_thread, store.ping),
        rag=partial(require_ready, services.rag),
        ingest=partial(require_ready, services.ingest),
    )
    optional_checks.update(
        redis=shared.ping,
        trainer=partial(require_ready, services.trainer),
        **{"alert-bridge": partial(require_ready, services.alert_bridge)},
    )
    return Gateway(
        settings=settings,
        keys=store,
        keyring=KeyRing(store, seconds=settings.key_cache_seconds),
        limiter=limiter,
        usage=usage,
        usage_store=usage_store,
        services=services,
        models=KnownModels(services.rag),
        stack=StackWatch(services.all(), lambda: {"redis": limiter.trouble}),
        request_slots=Slots("requests", settings.max_requests_in_flight),
        answer_slots=Slots("answers", settings.max_answers_in_flight),
    )


def _ensure_bootstrap_key(store: KeyStore, secret: SecretStr | None) -> None:
    if secret is None:
        return
    wished = keys.bootstrap(secret.get_secret_value(), tenant=DEFAULT_TENANT, now=datetime.now(UTC))
    kept = store.find(keys.BOOTSTRAP_ID)
    if kept is None or kept.digest != wished.digest:
        store.put(wished)


async def _open_services(settings: Settings, transports: Transports, stack: AsyncExitStack) -> Services:
    async def service(name: str, url: AnyHttpUrl, *, silence: float) -> Upstream:
        client = create_http_client(str(url), name="gateway", read_seconds=silence, transport=transports(name))
        return HttpUpstream(name, await stack.enter_async_context(client))

    brisk = settings.upstream_silence_seconds
    return Services(
        rag=await service("rag", settings.rag_url, silence=settings.answer_silence_seconds),
        ingest=await service("ingest", settings.ingest_url, silence=brisk),
        trainer=await service("trainer", settings.trainer_url, silence=brisk),
        alert_bridge=await service("alert-bridge", settings.alert_bridge_url, silence=brisk),
    )
