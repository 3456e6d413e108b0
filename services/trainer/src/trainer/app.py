"""The composition root: makes the clients, wires the parts, and closes them in order.

Served by `uvicorn --factory trainer.app:create_app`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from opskit.celery import create_celery
from opskit.contracts.runs import TRAINER_QUEUE
from opskit.errors import install_error_handlers
from opskit.health import Check, health_router
from opskit.http import create_http_client
from opskit.logging import configure_logging
from opskit.metrics import instrument
from opskit.request_context import RequestContextMiddleware
from opskit.settings import read_settings
from opskit.starting import StartMiddleware
from prometheus_client import REGISTRY

from trainer import metrics
from trainer.adapters.celery_queue import CeleryRuns
from trainer.adapters.peers import Broker, Mlflow
from trainer.dependencies import Parts
from trainer.figures import StoredFigures
from trainer.routes import feedback, releases, runs
from trainer.settings import Settings
from trainer.wiring import Wiring

DESCRIPTION = "Feedback in, better release out. An internal service: callers go through the gateway."
TAGS = [
    {"name": "feedback", "description": "Votes on answers, from which the next release learns."},
    {"name": "releases", "description": "What answers, what is tried, and what answered before."},
    {"name": "runs", "description": "Runs of the improvement pipeline."},
    {"name": "health", "description": "Is it alive, and can it serve?"},
]


def create_app(settings: Settings | None = None) -> FastAPI:
    """The service. Clients are made when it starts, and find their servers whenever those are there."""
    settings = settings or read_settings(Settings)
    configure_logging("trainer", level=settings.log_level, json=settings.log_json)
    checks: dict[str, Check] = {}
    optional_checks: dict[str, Check] = {}

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            app.state.parts = await _open(settings, stack, checks, optional_checks)
            yield

    app = FastAPIOffline(
        title="Nexus trainer", version="0.1.0", description=DESCRIPTION, openapi_tags=TAGS, lifespan=lifespan
    )
    app.state.internal_token = settings.internal_token.get_secret_value()
    app.add_middleware(RequestContextMiddleware)
    app.add_middleware(StartMiddleware)
    install_error_handlers(app)
    instrument(app)
    app.include_router(health_router(checks, optional=optional_checks))
    for routes in (feedback, runs, releases):
        app.include_router(routes.router)
    return app


async def _open(
    settings: Settings, stack: AsyncExitStack, checks: dict[str, Check], optional_checks: dict[str, Check]
) -> Parts:
    """Make the parts; `stack` closes them, the last one first."""
    wiring = Wiring(settings)
    stack.callback(wiring.close)
    await asyncio.to_thread(lambda: wiring.engine)
    store = wiring.feedback
    metrics.show_releases(await asyncio.to_thread(store.release_ids))
    figures = StoredFigures(
        wiring.runs,
        wiring.releases,
        store,
        window=settings.feedback_window,
        of_a_voter=settings.votes_counted_per_voter,
    )
    REGISTRY.register(figures)
    stack.callback(REGISTRY.unregister, figures)

    mlflow = await stack.enter_async_context(create_http_client(str(settings.mlflow_url), name="trainer"))
    broker = Broker(str(settings.broker_url))
    stack.push_async_callback(broker.close)

    checks.update(database=partial(asyncio.to_thread, store.check))
    # A vote needs neither of them, and must not be refused because one is away.
    optional_checks.update(mlflow=Mlflow(mlflow).check, broker=broker.check)
    queue = CeleryRuns(create_celery("trainer-api", str(settings.broker_url), queue=TRAINER_QUEUE))
    bridge, rag, deployer = wiring.bridge, wiring.rag, wiring.deployer
    return Parts(store, wiring.runs, wiring.releases, queue, bridge, rag, deployer, settings.runs_folder)
