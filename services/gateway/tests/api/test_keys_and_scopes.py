"""Who is let in, and as whom."""

import pytest

QUESTION = {"model": "nexus", "messages": [{"role": "user", "content": "How long?"}]}

ROUTES = [
    ("POST", "/v1/chat/completions", {"chat"}),
    ("GET", "/v1/models", {"chat"}),
    ("GET", "/v1/models/nexus", {"chat"}),
    ("POST", "/v1/embeddings", {"chat"}),
    ("POST", "/v1/search", {"chat", "documents"}),
    ("POST", "/v1/feedback", {"chat"}),
    ("GET", "/v1/documents", {"documents"}),
    ("PUT", "/v1/documents/a.md", {"documents"}),
    ("GET", "/v1/documents/a.md", {"documents"}),
    ("GET", "/v1/documents/a.md/content", {"chat", "documents"}),
    ("DELETE", "/v1/documents/a.md", {"documents"}),
    ("GET", "/v1/knowledge-bases", {"chat", "documents"}),
    ("GET", "/v1/runs", set()),
    ("POST", "/v1/runs", set()),
    ("GET", "/v1/runs/run_1", set()),
    ("GET", "/v1/releases", set()),
    ("GET", "/v1/releases/rel_1", set()),
    ("POST", "/v1/releases/rel_1/promote", set()),
    ("POST", "/v1/releases/rollback", set()),
    ("POST", "/v1/releases", set()),
    ("GET", "/v1/incidents", set()),
    ("GET", "/v1/runs/run_1/log", set()),
    ("GET", "/v1/automation", set()),
    ("PUT", "/v1/automation", set()),
    ("GET", "/v1/dead-letters", set()),
    ("POST", "/v1/dead-letters/1/replay", set()),
    ("GET", "/v1/status", set()),
    ("GET", "/v1/usage", set()),
    ("GET", "/v1/keys", set()),
    ("POST", "/v1/keys", set()),
    ("DELETE", "/v1/keys/key_1", set()),
]


def test_every_route_of_the_api_is_in_the_table_of_scopes(stack):
    described = {
        (method.upper(), path)
        for path, operations in stack.app.openapi()["paths"].items()
        for method in operations
        if path.startswith("/v1/")
    }
    assert len(described) == len(ROUTES)


@pytest.mark.parametrize(("method", "path", "_"), ROUTES)
async def test_nobody_gets_in_without_a_key_whatever_the_body(stack, method, path, _):
    async with stack.as_key(None) as stranger:
        response = await stranger.request(method, path, content=b"{not json")
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.json()["error"]["code"] == "invalid_api_key"
    assert response.headers["x-request-id"]


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic abc", "Bearer nx_unknown", "Bearer " + "x" * 5000])
async def test_what_is_not_a_known_key_is_401(stack, header):
    async with stack.as_key(None) as stranger:
        response = await stranger.get("/v1/models", headers={"authorization": header})
    assert response.status_code == 401


@pytest.mark.parametrize(("method", "path", "scopes"), ROUTES)
@pytest.mark.parametrize("held", ["chat", "documents"])
async def test_a_key_opens_exactly_the_routes_of_its_scope(stack, method, path, scopes, held):
    async with stack.as_key(await stack.key(held)) as client:
        response = await client.request(method, path, json={})
    assert (response.status_code == 403) == (held not in scopes)
    if response.status_code == 403:
        assert response.json()["error"]["code"] == "insufficient_scope"


async def test_the_tenant_comes_from_the_key_and_never_from_the_request(stack):
    async with stack.as_key(await stack.key("chat", tenant="acme")) as client:
        await client.post(
            "/v1/chat/completions",
            json=QUESTION,
            headers={"x-nexus-tenant": "other", "x-nexus-key-id": "key_other", "x-request-id": "trace-1"},
        )
    (seen,) = stack.rag.seen
    assert seen.headers["x-nexus-tenant"] == "acme"
    assert seen.headers["x-nexus-key-id"].startswith("key_")
    assert seen.headers["x-nexus-key-id"] != "key_other"
    assert seen.headers["authorization"] == "Bearer internal-token-for-tests"
    assert seen.headers["x-request-id"] == "trace-1"


async def test_a_key_is_shown_once_and_then_only_described(stack):
    secret = await stack.key("chat")
    listed = await stack.client.get("/v1/keys")
    assert [key["name"] for key in listed.json()["keys"]] == ["bootstrap", "test"]
    assert secret not in listed.text


async def test_a_revoked_key_opens_nothing_at_once(stack):
    secret = await stack.key("chat")
    key_id = (await stack.client.get("/v1/keys")).json()["keys"][1]["id"]
    async with stack.as_key(secret) as client:
        assert (await client.get("/v1/models")).status_code == 200
        revoked = await stack.client.delete(f"/v1/keys/{key_id}")
        assert revoked.json()["revoked_at"]
        assert (await client.get("/v1/models")).status_code == 401


async def test_the_bootstrap_key_is_not_revoked_over_the_api(stack):
    response = await stack.client.delete("/v1/keys/key_bootstrap")
    assert response.status_code == 409
    assert "NEXUS_BOOTSTRAP_KEY" in response.json()["error"]["message"]


@pytest.mark.parametrize("key_id", ["key_000000000000", "nothing", "key_%00", "%F0%9F%99%82"])
async def test_revoking_what_is_not_there_is_404(stack, key_id):
    assert (await stack.client.delete(f"/v1/keys/{key_id}")).status_code == 404


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"scopes": []}, "scopes"),
        ({"scopes": ["root"]}, "scopes.0"),
        ({"scopes": "chat"}, "scopes"),
        ({"tenant": "Not A Tenant"}, "tenant"),
        ({"tenant": "a/b"}, "tenant"),
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": 5}, "name"),
    ],
)
async def test_a_key_with_senseless_properties_is_refused(stack, change, param):
    body = {"name": "bot", "tenant": "acme", "scopes": ["chat"], **change}
    response = await stack.client.post("/v1/keys", json=body)
    assert response.status_code == 400
    assert response.json()["error"]["param"] == param


async def test_a_changed_bootstrap_key_replaces_the_old_one_at_the_next_start(start):
    async with start() as first:
        assert (await first.client.get("/v1/keys")).status_code == 200
    new = "another-key-9876543210-zyxwvu"
    async with start(bootstrap_key=new) as second:
        assert (await second.client.get("/v1/keys")).status_code == 401
        async with second.as_key(new) as client:
            assert (await client.get("/v1/keys")).status_code == 200
