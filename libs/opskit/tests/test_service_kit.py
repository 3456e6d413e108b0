"""What every service answers alike: errors, health, internal doors, request ids."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI
from opskit.errors import Conflict, InvalidRequest, NotFound, TooManyRequests, Unavailable, install_error_handlers
from opskit.health import health_router
from opskit.http import create_http_client
from opskit.identity import Caller, InternalCaller
from opskit.request_context import RequestContextMiddleware
from pydantic import BaseModel

TOKEN = "an-internal-token"
RAISED = {
    "invalid": InvalidRequest("Say what.", param="query"),
    "missing": NotFound("There is no such document."),
    "clash": Conflict("It is there already."),
    "limited": TooManyRequests("Too many.", retry_after=7),
    "down": Unavailable("Milvus cannot be reached."),
    "ours": RuntimeError("a secret detail"),
}


class Body(BaseModel):
    number: int


@pytest.fixture
def checks():
    return {}


@pytest.fixture
def optional():
    return {}


@pytest.fixture
async def client(checks, optional):
    app = FastAPI()
    app.state.internal_token = TOKEN
    app.add_middleware(RequestContextMiddleware)
    install_error_handlers(app)
    app.include_router(health_router(checks, optional=optional))

    @app.get("/raise/{name}")
    async def fail(name: str) -> None:
        raise RAISED[name]

    @app.post("/body")
    async def body(body: Body) -> int:
        return body.number

    @app.get("/inside")
    async def inside(caller: InternalCaller) -> str:
        return caller.tenant

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with create_http_client("http://service", name="test", transport=transport) as http:
        yield http


@pytest.mark.parametrize(
    ("name", "status", "type"),
    [
        ("invalid", 400, "invalid_request_error"),
        ("missing", 404, "not_found_error"),
        ("clash", 409, "conflict_error"),
        ("limited", 429, "rate_limit_error"),
        ("down", 503, "service_unavailable_error"),
        ("ours", 500, "internal_error"),
    ],
)
async def test_every_error_has_the_same_shape_and_its_own_status(client, name, status, type):
    response = await client.get(f"/raise/{name}")
    assert response.status_code == status
    error = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["type"] == type
    assert "secret" not in response.text
    assert response.headers["x-request-id"]
    assert ("retry-after" in response.headers) == (status in (429, 503))


async def test_retry_after_is_what_the_limit_says(client):
    assert (await client.get("/raise/limited")).headers["retry-after"] == "7"


@pytest.mark.parametrize("content", [b"{", b'{"number": "many"}', b"[]", b"null", b"\xff"])
async def test_a_body_that_is_wrong_is_400_and_says_where(client, content):
    response = await client.post("/body", content=content, headers={"content-type": "application/json"})
    assert response.status_code == 400
    assert response.json()["error"]["message"]


async def test_unknown_paths_and_methods_have_the_shape_too(client):
    assert (await client.get("/nothing")).json()["error"]["type"] == "not_found_error"
    assert (await client.delete("/body")).status_code == 405


async def test_alive_asks_nobody_and_ready_names_who_is_down(client, checks, optional):
    async def down() -> None:
        raise ConnectionError("refused")

    async def silent() -> None:
        await asyncio.Event().wait()

    checks["milvus"] = down
    optional["redis"] = silent
    assert (await client.get("/livez")).status_code == 200
    response = await client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["status"] == "unavailable"
    assert "refused" in response.json()["checks"]["milvus"]
    assert "no answer" in response.json()["checks"]["redis"]
    assert response.headers["retry-after"]


async def test_without_something_optional_a_service_is_degraded_and_serves(client, optional):
    async def down() -> None:
        raise ConnectionError("refused")

    optional["redis"] = down
    response = await client.get("/readyz")
    assert (response.status_code, response.json()["status"]) == (200, "degraded")


async def test_an_internal_door_wants_the_token_and_a_tenant(client):
    good = Caller("acme", "key-1").headers(TOKEN)
    assert (await client.get("/inside", headers=good)).json() == "acme"
    assert (await client.get("/inside")).status_code == 401
    assert (await client.get("/inside", headers={**good, "authorization": f"Bearer {TOKEN}x"})).status_code == 401
    assert (await client.get("/inside", headers={**good, "authorization": TOKEN})).status_code == 401
    for tenant in ("", "Acme", "a" * 64, "../b", 'x" or "1'):
        assert (await client.get("/inside", headers={**good, "x-nexus-tenant": tenant})).status_code == 400


async def test_a_request_id_is_kept_when_well_formed_and_made_otherwise(client):
    assert (await client.get("/livez", headers={"x-request-id": "abc-1"})).headers["x-request-id"] == "abc-1"
    made = (await client.get("/livez", headers={"x-request-id": "a b\tc"})).headers["x-request-id"]
    assert made != "a b\tc"
    assert len(made) >= 16
