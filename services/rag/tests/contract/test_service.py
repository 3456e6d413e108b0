"""The whole service on real Triton, Milvus, Redis and SQLite, and what it says when they go away."""

import httpx
import pytest
from pydantic import SecretStr
from rag.app import create_app
from rag.settings import Settings

pytestmark = pytest.mark.contract

TOKEN = "internal-token-for-tests"
HEADERS = {"authorization": f"Bearer {TOKEN}", "x-nexus-tenant": "acme", "x-nexus-key-id": "key_1"}
TEXT = "By default, Argo CD checks Git repositories every 3 minutes to detect changes to the manifests."


@pytest.fixture
async def service(triton_server, milvus_server, redis_server, tmp_path):
    settings = Settings.model_validate(
        {
            "internal_token": SecretStr(TOKEN),
            "triton_grpc": f"127.0.0.1:{triton_server.port}",
            "milvus_url": f"http://127.0.0.1:{milvus_server.port}",
            "redis_url": f"redis://127.0.0.1:{redis_server.port}/0",
            "rag_database_url": f"sqlite:///{tmp_path}/rag.db",
        }
    )
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://rag", headers=HEADERS, timeout=30) as client:
            client.app = app
            yield client


async def ask(service, question, **nexus):
    body = {"model": "nexus", "messages": [{"role": "user", "content": question}], "nexus": nexus}
    return await service.post("/v1/chat/completions", json=body)


async def fill(service, index_of):
    """One document as ingest would index it."""
    rag = service.app.state.rag
    served = await rag.lines._models.current()
    index = index_of(served.embedder_fingerprint)
    embedded = await rag.embedder.embed([TEXT])
    index.write(TEXT, dense=[float(value) for value in embedded.vectors[0]])
    return index


async def test_a_question_is_answered_cited_and_found_by_feedback(service, index_of):
    await fill(service, index_of)
    answer = (await ask(service, "How often does Argo CD check Git repositories?")).json()
    assert "3 minutes" in answer["choices"][0]["message"]["content"]
    (citation,) = answer["citations"]
    assert citation["quote"] in TEXT
    assert answer["usage"]["prompt_tokens"] > 0
    kept = await service.get(f"/internal/answers/{answer['id']}")
    assert kept.json()["release"] == answer["nexus"]["release"]


async def test_a_release_that_does_not_serve_can_be_tried(service, index_of):
    await fill(service, index_of)
    start = (await service.get("/internal/release")).json()
    body = {"release": start, "question": "How often does Argo CD check Git repositories?", "knowledge_base": "default"}
    said = (await service.post("/internal/trials", json=body)).json()
    assert "3 minutes" in said["short"]
    assert said["citations"][0]["quote"] in TEXT
    start["settings"]["prompt"]["abstain_below"] = 1000.0
    assert (await service.post("/internal/trials", json=body)).json()["abstained"]
    assert (await service.get("/internal/answers")).json()["answers"] == []


async def test_a_follow_up_uses_the_conversation_in_redis(service, index_of):
    await fill(service, index_of)
    first = (await ask(service, "How often does Argo CD check Git repositories?")).json()
    again = (await ask(service, "And by default?", conversation_id=first["nexus"]["conversation_id"])).json()
    kept = (await service.get(f"/internal/answers/{again['id']}")).json()
    assert kept["question"] == "How often does Argo CD check Git repositories by default?"


async def test_without_redis_it_is_degraded_and_answers(service, index_of, redis_server):
    await fill(service, index_of)
    assert (await service.get("/readyz")).json()["status"] == "ready"
    redis_server.kill()
    ready = await service.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
    assert ready.json()["checks"]["redis"] != "ok"
    assert (await ask(service, "How often does it check?", conversation_id="conv_1")).status_code == 200


async def test_without_milvus_it_says_so_and_recovers_by_itself(service, index_of, milvus_server, eventually):
    index = await fill(service, index_of)
    index.flush()
    milvus_server.kill()
    refused = await ask(service, "How often does Argo CD check Git repositories?")
    assert refused.status_code == 503
    assert refused.headers["retry-after"]
    ready = await service.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["checks"]["milvus"] != "ok"
    milvus_server.start()

    async def answers_again() -> bool:
        answer = await ask(service, "How often does Argo CD check Git repositories?")
        return answer.status_code == 200 and not answer.json()["nexus"]["abstained"]

    await eventually(answers_again, seconds=20)


async def test_before_anything_is_indexed_it_says_that(service, milvus_server):
    answer = (await ask(service, "How often?", knowledge_base="nothing-here")).json()
    assert answer["nexus"]["abstained"]
    assert "nothing in this knowledge base" in answer["choices"][0]["message"]["content"]


async def test_embeddings_are_real(service):
    body = {"model": "all-MiniLM-L6-v2", "input": ["one", "two words"]}
    answer = (await service.post("/v1/embeddings", json=body)).json()
    assert len(answer["data"][1]["embedding"]) == 384
    assert answer["usage"]["total_tokens"] >= 3
