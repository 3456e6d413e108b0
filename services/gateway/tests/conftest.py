"""A gateway with small applications standing in for the services behind it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import unquote

import httpx
import pytest
from fastapi import FastAPI
from gateway.app import create_app
from gateway.settings import Settings
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

ADMIN = "bootstrap-key-0123456789-abcdef"
TOKEN = "internal-token-for-tests"
# Nothing listens there, so counting is local; the limiter against a real Redis is a contract test.
NO_REDIS = "redis://127.0.0.1:1/0"

Answer = Callable[[Request], Response]


@dataclass
class Seen:
    """One request that reached a service."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass
class FakeService:
    """Remembers what reached it and answers as told."""

    answer: Answer = lambda _: JSONResponse({"ok": True, "object": "list", "data": [{"id": "nexus"}]})
    seen: list[Seen] = field(default_factory=list)
    ready: bool = True
    down: bool = False

    def transport(self) -> httpx.AsyncBaseTransport:
        async def serve(request: Request) -> Response:
            if request.url.path == "/readyz":
                verdict = "ok" if self.ready else "ConnectError: refused"
                return JSONResponse({"status": "?", "checks": {"milvus": verdict}}, 200 if self.ready else 503)
            body = await request.body()
            path = request.scope["raw_path"].decode()
            self.seen.append(Seen(request.method, path, dict(request.query_params), dict(request.headers), body))
            return self.answer(request)

        methods = ["GET", "POST", "PUT", "DELETE"]
        app = Starlette(routes=[Route("/{path:path}", serve, methods=methods)])
        inside = httpx.ASGITransport(app)
        service = self

        class MaybeDown(httpx.AsyncBaseTransport):
            async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
                if service.down:
                    raise httpx.ConnectError("refused", request=request)
                return await inside.handle_async_request(request)

        return MaybeDown()


@dataclass
class Stack:
    """The gateway under test, a client of it, and the services behind it."""

    app: FastAPI
    client: httpx.AsyncClient
    services: dict[str, FakeService]

    def __getattr__(self, name: str) -> FakeService:
        return self.services[name.replace("_", "-")]

    def as_key(self, key: str) -> httpx.AsyncClient:
        return client_of(self.app, key)

    async def key(self, *scopes: str, tenant: str = "acme") -> str:
        body = {"name": "test", "tenant": tenant, "scopes": list(scopes)}
        response = await self.client.post("/v1/keys", json=body)
        assert response.status_code == 201, response.text
        return response.json()["key"]


def client_of(app: FastAPI, key: str | None) -> httpx.AsyncClient:
    headers = {"authorization": f"Bearer {key}"} if key else {}
    transport = httpx.ASGITransport(app)
    return httpx.AsyncClient(transport=transport, base_url="http://gateway", headers=headers)


async def send_raw(stack: Stack, method: str, raw_path: str, content: bytes = b"") -> httpx.Response:
    """A request whose path arrives as it is: httpx would tidy `..` away, an attacker does not."""

    async def app(scope, receive, send):
        given = raw_path.encode()
        await stack.app({**scope, "raw_path": given, "path": unquote(raw_path)}, receive, send)

    headers = {"authorization": f"Bearer {ADMIN}"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), headers=headers) as client:
        return await client.request(method, "http://gateway/", content=content)


def make_settings(database: str, **changes: object) -> Settings:
    values: dict[str, object] = {
        "internal_token": SecretStr(TOKEN),
        "bootstrap_key": SecretStr(ADMIN),
        "gateway_database_url": database,
        "redis_url": NO_REDIS,
        **changes,
    }
    return Settings.model_validate(values)


Start = Callable[..., "asynccontextmanager[Stack]"]


@pytest.fixture
def settings_for():
    """Settings with changes, for tests that start their own servers."""
    return make_settings


@pytest.fixture
def start(tmp_path) -> Start:
    """Start a gateway with changed settings: `async with start(max_json_bytes=10) as stack`."""

    @asynccontextmanager
    async def started(**changes: object) -> AsyncIterator[Stack]:
        services = {name: FakeService() for name in ("rag", "ingest", "trainer", "alert-bridge")}
        settings = make_settings(f"sqlite:///{tmp_path}/gateway.db", **changes)
        app = create_app(settings, transports=lambda name: services[name].transport())
        async with app.router.lifespan_context(app), client_of(app, ADMIN) as client:
            yield Stack(app, client, services)

    return started


@pytest.fixture
def raw(stack):
    """Send a request with exactly this path: `await raw("GET", "/v1/documents/..")`."""
    return partial(send_raw, stack)


@pytest.fixture
async def stack(start) -> AsyncIterator[Stack]:
    async with start() as running:
        yield running
