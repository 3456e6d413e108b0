"""The real application on SQLite, with MLflow and broker away: a vote needs neither."""

import socket
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from trainer.app import create_app
from trainer.settings import Settings

TOKEN = "an-internal-token-of-length"
CALLER = {"authorization": f"Bearer {TOKEN}", "x-nexus-tenant": "acme", "x-nexus-key-id": "key_1"}


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def settings(database: str, tmp_path: Path) -> Settings:
    away = f"http://127.0.0.1:{closed_port()}"
    return Settings(
        rag_url=away,
        alert_bridge_url=away,
        prometheus_url=away,
        triton_grpc=f"127.0.0.1:{closed_port()}",
        runs_folder=tmp_path / "runs",
        releases_folder=tmp_path / "releases",
        internal_token=TOKEN,
        trainer_database_url=database,
        broker_url=f"redis://127.0.0.1:{closed_port()}/1",
        mlflow_url=f"http://127.0.0.1:{closed_port()}",
    )


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[FastAPI]:
    application = create_app(settings)
    async with application.router.lifespan_context(application):
        yield application


@pytest.fixture
async def anonymous(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://trainer") as client:
        yield client


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://trainer", headers=CALLER) as opened:
        yield opened
