"""Search, embeddings, models and health."""

import base64
import struct

import pytest
from opskit.contracts.answers import AnswerPage


class TestSearch:
    async def test_hits_are_bare_and_best_first(self, world):
        async with world.client() as client:
            response = await client.post("/v1/search", json={"query": "interval", "top_k": 1})
        (hit,) = response.json()["hits"]
        assert set(hit) == {"document", "chunk_id", "text", "score", "page", "title", "heading"}
        assert hit["document"] == "argo/faq.md"

    async def test_only_the_callers_knowledge_base_is_searched(self, world):
        async with world.client(tenant="other") as client:
            await client.post("/v1/search", json={"query": "interval", "knowledge_base": "handbook"})
        assert world.retriever.asked == [("interval", "other/handbook", 10)]

    async def test_an_older_generation_is_not_shown(self, world):
        world.retriever.chunks = [world.found("old", generation=1), world.found("new", generation=2)]
        async with world.client() as client:
            hits = (await client.post("/v1/search", json={"query": "interval"})).json()["hits"]
        assert [hit["text"] for hit in hits] == ["new"]

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"query": ""},
            {"query": "  "},
            {"query": "x" * 8193},
            {"query": 5},
            {"query": "x", "top_k": 0},
            {"query": "x", "top_k": 51},
            {"query": "x", "knowledge_base": "../etc"},
        ],
    )
    async def test_bad_input_is_a_400(self, world, body):
        async with world.client() as client:
            response = await client.post("/v1/search", json=body)
        assert response.status_code == 400
        assert response.json()["error"]["type"] == "invalid_request_error"

    async def test_a_stranger_is_turned_away(self, world):
        async with world.client() as client:
            response = await client.post("/v1/search", json={"query": "x"}, headers={"authorization": ""})
        assert response.status_code == 401


class TestEmbeddings:
    async def embeddings(self, world, **body):
        async with world.client() as client:
            return await client.post("/v1/embeddings", json={"model": "all-MiniLM-L6-v2", **body})

    async def test_one_text_is_one_vector_with_its_tokens(self, world):
        body = (await self.embeddings(world, input="two words")).json()
        assert len(body["data"][0]["embedding"]) == 384
        assert body["usage"] == {"prompt_tokens": 2, "total_tokens": 2}

    async def test_many_texts_keep_their_order(self, world):
        body = (await self.embeddings(world, input=["a", "b c"], model="nexus-embedder")).json()
        assert [one["index"] for one in body["data"]] == [0, 1]
        assert world.embedder.texts == ["a", "b c"]

    async def test_base64_is_little_endian_floats(self, world):
        body = (await self.embeddings(world, input="a", encoding_format="base64")).json()
        numbers = struct.unpack("<384f", base64.b64decode(body["data"][0]["embedding"]))
        assert numbers[0] == 1.0

    async def test_another_model_is_not_found(self, world):
        response = await self.embeddings(world, input="a", model="text-embedding-3-small")
        assert response.status_code == 404
        assert response.json()["error"]["code"] == "model_not_found"

    @pytest.mark.parametrize(
        "body",
        [{}, {"input": ""}, {"input": []}, {"input": ["a", ""]}, {"input": ["a"] * 257}, {"input": "x" * 40_000},
         {"input": [1, 2]}, {"input": "a", "encoding_format": "hex"}, {"input": "a", "dimensions": 100}],
    )  # fmt: skip
    async def test_bad_input_is_a_400(self, world, body):
        assert (await self.embeddings(world, **body)).status_code == 400


async def test_the_models_are_listed(world):
    async with world.client() as client:
        body = (await client.get("/v1/models")).json()
    assert [model["id"] for model in body["data"]] == ["nexus", "all-MiniLM-L6-v2"]
    assert body["object"] == "list"


async def test_an_unknown_answer_is_not_found(world):
    async with world.client() as client:
        response = await client.get("/internal/answers/ans_nope")
    assert response.status_code == 404
    assert response.json()["error"]["type"] == "not_found_error"


class TestKeptAnswers:
    PATH = "/internal/answers"

    async def test_answers_of_all_tenants_come_as_they_were_kept(self, world):
        for number, tenant in enumerate(("acme", "other")):
            await world.ask("How often does Argo CD check Git?", answer_id=f"ans_{number}", tenant=tenant)
        async with world.client() as client:
            page = (await client.get(self.PATH, headers={"x-nexus-tenant": ""})).json()
        assert [(one["answer_id"], one["tenant"]) for one in page["answers"]] == [("ans_0", "acme"), ("ans_1", "other")]
        assert AnswerPage.model_validate(page).answers[0] == world.answers.kept["ans_0"]

    async def test_the_cursor_goes_on_where_the_page_ended_and_stays_when_there_is_nothing(self, world):
        for number in range(3):
            await world.ask("How often does Argo CD check Git?", answer_id=f"ans_{number}")
        seen, cursor = [], None
        async with world.client() as client:
            for _ in range(4):
                query = {"limit": 2} | ({"after": cursor} if cursor else {})
                page = (await client.get(self.PATH, params=query)).json()
                seen += [one["answer_id"] for one in page["answers"]]
                cursor = page["next_cursor"]
        assert seen == ["ans_0", "ans_1", "ans_2"]

    async def test_a_stranger_is_turned_away(self, world):
        async with world.client() as client:
            assert (await client.get(self.PATH, headers={"authorization": "Bearer nobody"})).status_code == 401

    @pytest.mark.parametrize("query", [{"after": "x"}, {"after": "-1"}, {"after": ""}, {"limit": 0}, {"limit": 201}])
    async def test_bad_input_is_a_400(self, world, query):
        async with world.client() as client:
            assert (await client.get(self.PATH, params=query)).status_code == 400

    async def test_a_database_that_is_away_is_a_503(self, world):
        world.answers.down = True
        async with world.client() as client:
            assert (await client.get(self.PATH)).status_code == 503


async def test_alive_without_anything_behind_it(world):
    world.models.down = world.retriever.down = world.answers.down = True
    async with world.client() as client:
        assert (await client.get("/livez")).status_code == 200
        assert "nexus_answers_total" in (await client.get("/metrics")).text


async def test_every_operation_is_described(world):
    async with world.client() as client:
        described = (await client.get("/openapi.json")).json()
    for path, methods in described["paths"].items():
        for operation in methods.values():
            assert operation["summary"], path
            assert operation["operationId"].islower()
            assert operation["tags"]
