"""The real application on SQLite."""

from collections.abc import AsyncIterator

import httpx
import pytest
from alert_bridge.app import create_app
from alert_bridge.settings import Settings
from fastapi import FastAPI

TOKEN = "an-internal-token-of-length"
WEBHOOK_TOKEN = "a-webhook-token-of-length"


@pytest.fixture
def settings(database: str) -> Settings:
    return Settings(
        internal_token=TOKEN,
        webhook_token=WEBHOOK_TOKEN,
        alert_bridge_database_url=database,
        max_webhook_bytes=20_000_000,
    )


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[FastAPI]:
    application = create_app(settings)
    async with application.router.lifespan_context(application):
        yield application


@pytest.fixture
async def anonymous(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bridge") as client:
        yield client


@pytest.fixture
async def alertmanager(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"authorization": f"Bearer {WEBHOOK_TOKEN}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://bridge", headers=headers
    ) as client:
        yield client


@pytest.fixture
async def gateway(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"authorization": f"Bearer {TOKEN}", "x-nexus-tenant": "acme", "x-nexus-key-id": "key_1"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://bridge", headers=headers
    ) as client:
        yield client
