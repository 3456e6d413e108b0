"""The composition root: makes the clients, wires the parts, and closes them in order.

Served by `uvicorn --factory rag.app:create_app`.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from opskit.database import open_database
from opskit.errors import Unavailable, install_error_handlers
from opskit.health import Check, health_router
from opskit.http import create_http_client
from opskit.logging import configure_logging
from opskit.metrics import instrument
from opskit.request_context import RequestContextMiddleware
from opskit.settings import read_settings
from opskit.starting import StartMiddleware
from sqlalchemy import Engine

from rag.adapters.common_terms import CommonTerms
from rag.adapters.milvus import MilvusChunks
from rag.adapters.openai_reader import OpenAiReader, Terms
from rag.adapters.redis_conversations import RedisConversations
from rag.adapters.retrievers import LlamaIndexRetriever
from rag.adapters.serving_table import TrainerTable
from rag.adapters.sql_answers import SqlAnswers
from rag.adapters.triton import TritonModels, open_triton
from rag.adapters.triton_embedder import TritonEmbedder
from rag.adapters.triton_ranker import TritonRanker
from rag.adapters.triton_reader import TritonReader
from rag.answer import Answering
from rag.dependencies import Rag
from rag.ports import Reader
from rag.recording import Recorder
from rag.release import ReleaseSettings, load_release
from rag.remote_model import remote_model
from rag.routes import answers, chat, models, search, trials
from rag.serving import Lines
from rag.settings import Settings
from rag.slots import ReaderSlots

log = structlog.get_logger(__name__)

DESCRIPTION = "Question in, grounded answer out. An internal service: callers go through the gateway."
TAGS = [
    {"name": "answers", "description": "Answers from documents, and the search beneath them."},
    {"name": "models", "description": "What may be named in a request, and vectors."},
    {"name": "internal", "description": "For other services."},
    {"name": "health", "description": "Is it alive, and can it serve?"},
]
SWEEP_SECONDS = 3600.0


def create_app(settings: Settings | None = None) -> FastAPI:
    """The service. Clients are made when it starts, and find their servers whenever those are there."""
    settings = settings or read_settings(Settings)
    release = load_release(settings.release_file)
    configure_logging("rag", level=settings.log_level, json=settings.log_json)
    checks: dict[str, Check] = {}
    optional_checks: dict[str, Check] = {}

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            app.state.rag = await _open(settings, release, stack, checks, optional_checks)
            yield

    app = FastAPIOffline(
        title="Nexus rag", version="0.1.0", description=DESCRIPTION, openapi_tags=TAGS, lifespan=lifespan
    )
    app.state.internal_token = settings.internal_token.get_secret_value()
    app.add_middleware(RequestContextMiddleware)
    app.add_middleware(StartMiddleware)
    install_error_handlers(app)
    instrument(app)
    app.include_router(health_router(checks, optional=optional_checks))
    for routes in (chat, search, models, answers, trials):
        app.include_router(routes.router)
    return app


async def _open(
    settings: Settings,
    release: ReleaseSettings,
    stack: AsyncExitStack,
    checks: dict[str, Check],
    optional_checks: dict[str, Check],
) -> Rag:
    """Make the parts; `stack` closes them, the last one first."""
    engine = await asyncio.to_thread(open_database, settings.rag_database_url, migrations="rag.migrations")
    log_of_answers = SqlAnswers(engine)
    stack.callback(log_of_answers.close)
    await _in_background(stack, _sweep(log_of_answers, settings.keep_answers))

    conversations = RedisConversations(
        str(settings.redis_url), turns=settings.conversation_turns, ttl=settings.conversation_ttl
    )
    stack.push_async_callback(conversations.close)

    triton = open_triton(settings.triton_grpc)
    stack.push_async_callback(triton.close)
    remote = remote_model(settings.model)
    served = TritonModels(triton, refresh_seconds=settings.models_refresh_seconds, remote=remote)
    await _in_background(stack, served.keep_current())

    chunks = MilvusChunks(
        str(settings.milvus_url),
        served,
        token=settings.milvus_token.get_secret_value(),
        at_once=settings.milvus_searches,
    )
    stack.push_async_callback(chunks.close)
    embedder = TritonEmbedder(triton)
    common = CommonTerms(chunks)
    await _in_background(stack, common.keep_current())
    retriever = LlamaIndexRetriever(chunks, embedder, common)
    reader: Reader = TritonReader(triton)
    if remote is not None:
        reader = elsewhere = OpenAiReader(remote, _terms(settings))
        stack.push_async_callback(elsewhere.close)
        checks.update(model=elsewhere.check)
    lines = Lines(release, served, await _serving_table(settings, engine, stack))
    answering = Answering(
        lines=lines,
        embedder=embedder,
        retriever=retriever,
        reader=reader,
        ranker=None if settings.model == "extractive" else TritonRanker(triton),
        slots=ReaderSlots(
            at_once=settings.readers, waiting=settings.readers_waiting, wait_seconds=settings.reader_wait_seconds
        ),
        conversations=conversations,
        recorder=Recorder(log_of_answers, conversations),
        seconds=settings.answer_seconds,
    )
    checks.update(triton=served.check, milvus=chunks.check, database=log_of_answers.check)
    optional_checks.update(redis=conversations.check)
    return Rag(answering, lines, retriever, embedder, log_of_answers, started=int(time.time()))


async def _serving_table(settings: Settings, engine: Engine, stack: AsyncExitStack) -> TrainerTable:
    client = create_http_client(str(settings.trainer_url), name="rag", read_seconds=5.0)
    stack.push_async_callback(client.aclose)
    token, every_seconds = settings.internal_token.get_secret_value(), settings.serving_refresh_seconds
    table = TrainerTable(client, engine, token=token, every_seconds=every_seconds)
    await asyncio.to_thread(table.recall)
    await _in_background(stack, table.keep_current())
    return table


def _terms(settings: Settings) -> Terms:
    return Terms(
        api_key=settings.model_api_key.get_secret_value(),
        context=settings.model_context,
        silence_seconds=settings.model_silence_seconds,
        price_read=settings.model_price_read,
        price_written=settings.model_price_written,
    )


async def _in_background(stack: AsyncExitStack, work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.create_task(work)

    async def end() -> None:
        while not task.done():  # a client may swallow the first, with the call that it cancels
            task.cancel()
            await asyncio.wait([task], timeout=1)
        if not task.cancelled() and (failure := task.exception()):
            log.error("background_work_failed", reason=repr(failure))

    stack.push_async_callback(end)


async def _sweep(answers: SqlAnswers, keep: timedelta) -> None:
    while True:
        try:
            await answers.sweep(keep)
        except Unavailable as exc:
            log.warning("answers_not_swept", reason=exc.message)
        await asyncio.sleep(SWEEP_SECONDS)
