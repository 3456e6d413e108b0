"""Votes, and what operators do."""

import json

import pytest
from starlette.responses import JSONResponse

VOTE = {"answer_id": "ans_1", "rating": "down", "correction": "One minute."}
RECORD = {
    "answer_id": "ans_1",
    "tenant": "acme",
    "knowledge_base": "default",
    "conversation_id": "c1",
    "release": "rel_1",
    "question": "How long?",
    "answer": "Two minutes.",
    "abstained": False,
    "outcome": "answered",
    "citations": [],
    "passages": [],
    "created_at": "2026-11-20T00:00:00Z",
}


async def test_a_vote_goes_to_trainer_with_the_answer_it_is_about(stack):
    stack.rag.answer = lambda _: JSONResponse(RECORD)
    stack.trainer.answer = lambda _: JSONResponse({"answer_id": "ans_1", "rating": "down"}, 201)
    response = await stack.client.post("/v1/feedback", json=VOTE)
    assert response.status_code == 201
    assert stack.rag.seen[0].path == "/internal/answers/ans_1"
    sent = json.loads(stack.trainer.seen[0].body)
    assert (sent["rating"], sent["correction"]) == ("down", "One minute.")
    assert sent["answer"]["question"] == "How long?"


@pytest.mark.parametrize("answer_id", ["ans_2", "nothing", "../admin", "a b", "x" * 200, "ans_\u00e9"])
async def test_a_vote_on_an_unknown_answer_is_404(stack, answer_id):
    stack.rag.answer = lambda _: JSONResponse({"error": {}}, 404)
    response = await stack.client.post("/v1/feedback", json={**VOTE, "answer_id": answer_id})
    assert response.status_code == 404
    assert response.json()["error"]["param"] == "answer_id"
    assert not stack.trainer.seen


@pytest.mark.parametrize("status", [500, 503, 401])
async def test_a_vote_while_rag_is_unwell_is_503(stack, status):
    stack.rag.answer = lambda _: JSONResponse({}, status)
    assert (await stack.client.post("/v1/feedback", json=VOTE)).status_code == 503


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"rating": "sideways"}, "rating"),
        ({"rating": 1}, "rating"),
        ({"answer_id": ""}, "answer_id"),
        ({"answer_id": None}, "answer_id"),
        ({"comment": "x" * 4001}, "comment"),
        ({"comment": "\0"}, "comment"),
        ({"correction": ["x"]}, "correction"),
    ],
)
async def test_a_senseless_vote_is_400(stack, change, param):
    response = await stack.client.post("/v1/feedback", json={**VOTE, **change})
    assert response.status_code == 400
    assert response.json()["error"]["param"] == param


@pytest.mark.parametrize(
    ("method", "path", "service"),
    [
        ("GET", "/v1/runs", "trainer"),
        ("POST", "/v1/runs", "trainer"),
        ("GET", "/v1/runs/run_1", "trainer"),
        ("GET", "/v1/runs/run_1/log", "trainer"),
        ("GET", "/v1/automation", "alert-bridge"),
        ("GET", "/v1/releases", "trainer"),
        ("GET", "/v1/releases/rel_1", "trainer"),
        ("POST", "/v1/releases/rel_1/promote", "trainer"),
        ("POST", "/v1/releases/rollback", "trainer"),
        ("GET", "/v1/incidents", "alert-bridge"),
        ("GET", "/v1/dead-letters", "ingest"),
        ("POST", "/v1/dead-letters/7/replay", "ingest"),
        ("GET", "/v1/knowledge-bases", "ingest"),
        ("GET", "/v1/models", "rag"),
    ],
)
async def test_each_route_asks_the_service_that_owns_it(stack, method, path, service):
    assert (await stack.client.request(method, path)).status_code == 200
    assert {name: len(fake.seen) for name, fake in stack.services.items() if fake.seen} == {service: 1}
    assert (stack.services[service].seen[0].method, stack.services[service].seen[0].path) == (method, path)


async def test_proposed_settings_go_to_trainer_as_they_are(stack):
    settings = {"prompt": {"abstain_below": None, "wording": {"thanks": "Any time."}}, "retrieval": {"passages": 6}}
    stack.trainer.answer = lambda _: JSONResponse({"id": "run_1"}, 202)
    response = await stack.client.post("/v1/releases", json={"settings": settings, "reason": "kinder", "odd": 1})
    assert (response.status_code, response.json()["id"]) == (202, "run_1")
    (seen,) = stack.trainer.seen
    assert (seen.method, seen.path) == ("POST", "/v1/releases")
    assert json.loads(seen.body) == {"settings": settings, "reason": "kinder"}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "settings"),
        ({"settings": {}}, "settings"),
        ({"settings": {"reader": {}}}, "settings.reader"),
        ({"settings": {"prompt": "short"}}, "settings.prompt"),
        ({"settings": {"prompt": {}}, "reason": "\0"}, "reason"),
        ({"settings": {"prompt": {}}, "knowledge_base": "../x"}, "knowledge_base"),
    ],
)
async def test_a_senseless_proposal_is_400_and_reaches_nobody(stack, body, param):
    response = await stack.client.post("/v1/releases", json=body)
    assert response.status_code == 400
    assert response.json()["error"]["param"] == param
    assert not stack.trainer.seen


@pytest.mark.parametrize("bad", ["%00", "a%2Fb", "..", "%F0%9F%99%82", "x" * 200, "a%20b"])
@pytest.mark.parametrize("path", ["/v1/runs/{}", "/v1/releases/{}", "/v1/dead-letters/{}/replay"])
async def test_an_id_nothing_can_have_is_a_4xx_and_reaches_nobody(stack, raw, path, bad):
    method = "POST" if path.endswith("replay") else "GET"
    assert (await raw(method, path.format(bad))).status_code in (400, 404)
    assert not any(fake.seen for fake in stack.services.values())


@pytest.mark.parametrize(
    "body",
    [
        {"query": ""},
        {"query": " "},
        {"query": 5},
        {},
        {"query": "x" * 9000},
        {"query": "x", "top_k": -1},
        {"query": "x", "top_k": 10**12},
        {"query": "x", "knowledge_base": "A"},
        {"query": "a\0b"},
    ],
)
async def test_a_senseless_search_is_400(stack, body):
    assert (await stack.client.post("/v1/search", json=body)).status_code == 400


@pytest.mark.parametrize(
    "change",
    [
        {"input": ""},
        {"input": []},
        {"input": [""]},
        {"input": [1, 2]},
        {"input": [[1]]},
        {"input": {"a": 1}},
        {"input": ["x"] * 3000},
        {"model": None},
        {"encoding_format": "hex"},
        {"dimensions": -1},
        {"dimensions": 10**30},
    ],
)
async def test_senseless_embeddings_are_400(stack, change):
    body = {"model": "m", "input": "text", **change}
    assert (await stack.client.post("/v1/embeddings", json=body)).status_code == 400


class TestReadiness:
    async def test_it_is_ready_with_what_it_can_do_without_named(self, stack):
        response = await stack.client.get("/readyz")
        assert response.status_code == 200
        assert response.json()["status"] == "degraded"
        assert "Error" in response.json()["checks"]["redis"]

    @pytest.mark.parametrize("service", ["rag", "ingest"])
    async def test_a_service_that_is_down_is_named(self, stack, service):
        stack.services[service].down = True
        response = await stack.client.get("/readyz")
        assert response.status_code == 503
        assert response.headers["retry-after"]
        assert response.json()["checks"][service] != "ok"

    async def test_what_a_service_lacks_is_named_too(self, stack):
        stack.rag.ready = False
        response = await stack.client.get("/readyz")
        assert response.status_code == 503
        assert "milvus: ConnectError" in response.json()["checks"]["rag"]

    async def test_the_door_stays_open_without_trainer(self, stack):
        stack.trainer.down = True
        response = await stack.client.get("/readyz")
        assert response.status_code == 200
        assert "trainer" in response.json()["checks"]["trainer"]

    async def test_being_alive_asks_nobody(self, stack):
        stack.rag.down = stack.ingest.down = True
        assert (await stack.client.get("/livez")).status_code == 200


async def test_the_status_shows_every_service_and_the_worst(stack):
    stack.ingest.ready = False
    stack.trainer.down = True
    state = (await stack.client.get("/v1/status")).json()
    assert state["status"] == "unavailable"
    assert {name: service["status"] for name, service in state["services"].items()} == {
        "gateway": "degraded",
        "rag": "ready",
        "ingest": "unavailable",
        "trainer": "unavailable",
        "alert-bridge": "ready",
    }
    assert state["services"]["ingest"]["checks"]["milvus"] == "ConnectError: refused"
    assert "redis" in state["services"]["gateway"]["checks"]["redis"]
