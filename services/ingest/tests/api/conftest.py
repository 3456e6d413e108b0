"""The real application on a folder, with broker, Milvus and Triton away: an upload needs none of them."""

import socket
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from ingest.app import create_app
from ingest.settings import Settings

TOKEN = "an-internal-token-of-length"


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        internal_token=TOKEN,
        ingest_database_url=f"sqlite:///{tmp_path}/ingest.db",
        store_folder=tmp_path / "documents",
        broker_url=f"redis://127.0.0.1:{closed_port()}/1",
        milvus_url=f"http://127.0.0.1:{closed_port()}",
        triton_grpc=f"127.0.0.1:{closed_port()}",
        max_document_bytes=1_000_000,
    )


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[FastAPI]:
    application = create_app(settings)
    async with application.router.lifespan_context(application):
        yield application


@pytest.fixture
async def anonymous(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://ingest") as client:
        yield client


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"authorization": f"Bearer {TOKEN}", "x-nexus-tenant": "acme", "x-nexus-key-id": "key_1"}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://ingest", headers=headers) as opened:
        yield opened


@pytest.fixture
def folder(settings: Settings) -> Path:
    return settings.store_folder / "acme" / "default"
