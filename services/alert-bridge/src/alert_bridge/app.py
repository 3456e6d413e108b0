"""The composition root: makes the clients, wires the parts, and closes them in order.

Served by `uvicorn --factory alert_bridge.app:create_app`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from opskit.database import open_database
from opskit.errors import install_error_handlers
from opskit.health import Check, health_router
from opskit.logging import configure_logging
from opskit.metrics import instrument
from opskit.request_context import RequestContextMiddleware

from alert_bridge.adapters.sql import SqlIncidents
from alert_bridge.routes import incidents, webhooks
from alert_bridge.settings import Settings

DESCRIPTION = "Alertmanager's messages in, one incident for each firing episode out."
TAGS = [
    {"name": "webhooks", "description": "Where Alertmanager calls."},
    {"name": "incidents", "description": "What fired, and what was done about it. The gateway calls it."},
    {"name": "health", "description": "Is it alive, and can it serve?"},
]


def create_app(settings: Settings | None = None) -> FastAPI:
    """The service."""
    settings = settings or Settings()
    configure_logging("alert-bridge", level=settings.log_level, json=settings.log_json)
    checks: dict[str, Check] = {}

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        url = settings.alert_bridge_database_url
        engine = await asyncio.to_thread(open_database, url, migrations="alert_bridge.migrations")
        store = SqlIncidents(engine)
        app.state.incidents = store
        checks["database"] = partial(asyncio.to_thread, store.check)
        yield
        engine.dispose()

    app = FastAPIOffline(
        title="Nexus alert-bridge", version="0.1.0", description=DESCRIPTION, openapi_tags=TAGS, lifespan=lifespan
    )
    app.state.settings = settings
    app.state.internal_token = settings.internal_token.get_secret_value()
    app.add_middleware(RequestContextMiddleware)
    install_error_handlers(app)
    instrument(app)
    app.include_router(health_router(checks))
    app.include_router(webhooks.router)
    app.include_router(incidents.router)
    return app
