"""The real application on SQLite, with a queue that only remembers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from alert_bridge.app import create_app
from alert_bridge.settings import Settings
from fastapi import FastAPI
from opskit.contracts.runs import RunOrder
from opskit.errors import Unavailable

TOKEN = "an-internal-token-of-length"
WEBHOOK_TOKEN = "a-webhook-token-of-length"


@dataclass
class FakeStarter:
    """Takes orders, unless it is away."""

    is_away: bool = False
    is_silent: bool = False
    started: list[RunOrder] = field(default_factory=list)

    async def start(self, order: RunOrder) -> None:
        await self.check()
        if self.is_silent:
            await asyncio.Event().wait()
        self.started.append(order)

    async def check(self) -> None:
        if self.is_away:
            raise Unavailable("The queue is away.")


@pytest.fixture
def starter() -> FakeStarter:
    return FakeStarter()


@pytest.fixture
def settings(database: str) -> Settings:
    return Settings(
        internal_token=TOKEN,
        webhook_token=WEBHOOK_TOKEN,
        alert_bridge_database_url=database,
        max_webhook_bytes=20_000_000,
    )


@pytest.fixture
async def app(settings: Settings, starter: FakeStarter) -> AsyncIterator[FastAPI]:
    application = create_app(settings, starter=starter)
    async with application.router.lifespan_context(application):
        yield application


def client_of(app: FastAPI, **headers: str) -> httpx.AsyncClient:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bridge", headers=named)


@pytest.fixture
async def anonymous(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app) as client:
        yield client


@pytest.fixture
async def alertmanager(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app, authorization=f"Bearer {WEBHOOK_TOKEN}") as client:
        yield client


@pytest.fixture
async def gateway(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    token = f"Bearer {TOKEN}"
    async with client_of(app, authorization=token, x_nexus_tenant="acme", x_nexus_key_id="key_1") as client:
        yield client


@pytest.fixture
async def trainer(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app, authorization=f"Bearer {TOKEN}") as client:
        yield client


@pytest.fixture
def make_wish() -> Callable[..., dict[str, Any]]:
    """A webhook message with one alert that asks for a run."""

    def make(number: int = 1, status: str = "firing", **labels: str) -> dict[str, Any]:
        asks = {"alertname": "NexusAnswerQualityLow", "severity": "warning", "nexus_action": "retrain"}
        alert = {
            "status": status,
            "labels": asks | labels,
            "annotations": {"summary": "People do not like the answers."},
            "startsAt": "2026-11-20T12:00:00Z",
            "endsAt": "2026-11-20T12:05:00Z" if status == "resolved" else "0001-01-01T00:00:00Z",
            "fingerprint": f"{number:016x}",
        }
        return {"version": "4", "alerts": [alert]}

    return make
