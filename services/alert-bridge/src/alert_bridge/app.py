"""The composition root: makes the clients, wires the parts, and closes them in order.

Served by `uvicorn --factory alert_bridge.app:create_app`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial

from fastapi import FastAPI
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

from alert_bridge.adapters.argo_events import ArgoEvents
from alert_bridge.adapters.celery_runs import CeleryRuns
from alert_bridge.adapters.sql import SqlIncidents
from alert_bridge.adapters.sql_runs import SqlRuns
from alert_bridge.dispatch import Dispatcher
from alert_bridge.ports import RunStarter
from alert_bridge.routes import automation, incidents, runs, webhooks
from alert_bridge.settings import Settings

DESCRIPTION = "Alertmanager's messages in, at most one improvement run for each incident out."
TAGS = [
    {"name": "webhooks", "description": "Where Alertmanager calls."},
    {"name": "incidents", "description": "What fired, and what was done about it. The gateway calls it."},
    {"name": "automation", "description": "May alerts start runs? The gateway calls it."},
    {"name": "runs", "description": "Where trainer tells of runs."},
    {"name": "health", "description": "Is it alive, and can it serve?"},
]
_CHECK_NAMES = {"celery": "broker", "argo-events": "argo-events"}


def create_app(settings: Settings | None = None, *, starter: RunStarter | None = None) -> FastAPI:
    """The service. A test passes a `starter` of its own; otherwise the settings choose one."""
    settings = settings or read_settings(Settings)
    configure_logging("alert-bridge", level=settings.log_level, json=settings.log_json)
    checks: dict[str, Check] = {}
    optional_checks: dict[str, Check] = {}

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            chosen = starter or await _open_starter(settings, stack)
            # Alerts are decided on and runs are kept while trainer cannot be reached.
            optional_checks[_CHECK_NAMES[settings.run_starter]] = chosen.check
            await _open(app, settings, chosen, stack)
            checks["database"] = partial(asyncio.to_thread, app.state.incidents.check)
            yield

    app = FastAPIOffline(
        title="Nexus alert-bridge", version="0.1.0", description=DESCRIPTION, openapi_tags=TAGS, lifespan=lifespan
    )
    app.state.settings = settings
    app.state.internal_token = settings.internal_token.get_secret_value()
    app.add_middleware(RequestContextMiddleware)
    app.add_middleware(StartMiddleware)
    install_error_handlers(app)
    instrument(app)
    app.include_router(health_router(checks, optional=optional_checks))
    for routes in (webhooks, incidents, automation, runs):
        app.include_router(routes.router)
    return app


async def _open(app: FastAPI, settings: Settings, starter: RunStarter, stack: AsyncExitStack) -> None:
    """Make the parts; `stack` closes them, the last one first."""
    url = settings.alert_bridge_database_url
    engine = await asyncio.to_thread(open_database, url, migrations="alert_bridge.migrations")
    stack.callback(engine.dispose)
    app.state.incidents = SqlIncidents(engine)
    app.state.runs = SqlRuns(engine)
    app.state.dispatcher = Dispatcher(app.state.runs, starter)
    dispatching = asyncio.create_task(app.state.dispatcher.run())
    stack.push_async_callback(_cancel, dispatching)


async def _open_starter(settings: Settings, stack: AsyncExitStack) -> RunStarter:
    if settings.run_starter == "argo-events":
        url = str(settings.argo_events_url)
        client = await stack.enter_async_context(create_http_client(url, name="alert-bridge", read_seconds=10.0))
        return ArgoEvents(client, url, settings.argo_events_token.get_secret_value())
    celery = CeleryRuns(str(settings.broker_url))
    stack.callback(celery.close)
    return celery


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
