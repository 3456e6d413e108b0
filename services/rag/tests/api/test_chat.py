"""Answers over HTTP, as OpenAI's own client sees them."""

import asyncio
import json

import httpx
import openai
import pytest
from openai import AsyncOpenAI
from rag.slots import ReaderSlots

URL = "/v1/chat/completions"
QUESTION = {"role": "user", "content": "How often does Argo CD check Git?"}


def body(**changes):
    return {"model": "nexus", "messages": [QUESTION], **changes}


def openai_client(world) -> AsyncOpenAI:
    headers = {name: value for name, value in world.headers().items() if name != "authorization"}
    http = httpx.AsyncClient(transport=httpx.ASGITransport(world.app()))
    token = world.headers()["authorization"].removeprefix("Bearer ")
    return AsyncOpenAI(
        base_url="http://rag/v1", api_key=token, http_client=http, default_headers=headers, max_retries=0
    )


def events_of(response):
    lines = [line for line in response.text.split("\n\n") if line]
    assert all(line.startswith("data: ") for line in lines)
    return [line.removeprefix("data: ") for line in lines]


def error_of(response):
    assert set(response.json()) == {"error"}
    return response.json()["error"]


class TestWhole:
    async def test_the_gateway_must_prove_itself(self, world):
        async with world.client() as client:
            response = await client.post(URL, json=body(), headers={"authorization": "Bearer wrong"})
        assert response.status_code == 401

    async def test_openais_client_gets_the_answer_and_our_fields(self, world):
        async with openai_client(world) as client:
            answer = await client.chat.completions.create(model="nexus", messages=[QUESTION])
        assert answer.id.startswith("ans_")
        assert answer.choices[0].message.content == "3 minutes. [1]"
        assert answer.choices[0].finish_reason == "stop"
        assert (answer.usage.prompt_tokens, answer.usage.total_tokens) == (321, 333)
        assert answer.citations[0]["quote"] == "every 3 minutes"
        assert set(answer.citations[0]) == {"index", "document", "title", "quote", "chunk_id", "score", "page"}
        assert set(answer.nexus) == {"release", "abstained", "conversation_id", "knowledge_base", "timings"}

    async def test_feedback_finds_the_answer_and_another_tenant_does_not(self, world):
        async with world.client() as client:
            answer_id = (await client.post(URL, json=body())).json()["id"]
            url = f"/internal/answers/{answer_id}"
            mine = await client.get(url)
            others = await client.get(url, headers={"x-nexus-tenant": "other"})
        assert mine.json()["answer"] == "3 minutes. [1]"
        assert others.status_code == 404

    async def test_a_conversation_gets_an_id_and_keeps_it(self, world):
        async with world.client() as client:
            first = (await client.post(URL, json=body())).json()["nexus"]["conversation_id"]
            options = {"conversation_id": first}
            second = (await client.post(URL, json=body(nexus=options))).json()["nexus"]["conversation_id"]
        assert first.startswith("conv_")
        assert second == first

    async def test_the_release_id_is_also_a_models_name(self, world):
        async with world.client() as client:
            release = (await client.post(URL, json=body())).json()["nexus"]["release"]
            assert (await client.post(URL, json=body(model=release))).status_code == 200

    async def test_another_model_is_not_found(self, world):
        async with openai_client(world) as client:
            with pytest.raises(openai.NotFoundError) as caught:
                await client.chat.completions.create(model="gpt-4o", messages=[QUESTION])
        assert caught.value.code == "model_not_found"

    async def test_text_parts_are_one_question(self, world):
        parts = [{"type": "text", "text": "How often"}, {"type": "text", "text": " does it check?"}]
        async with world.client() as client:
            await client.post(URL, json=body(messages=[{"role": "user", "content": parts}]))
        assert world.retriever.asked[0][0] == "How often does it check?"

    async def test_a_system_message_is_no_question(self, world):
        messages = [{"role": "system", "content": "Be brief."}, QUESTION]
        async with world.client() as client:
            assert (await client.post(URL, json=body(messages=messages))).status_code == 200
        assert world.retriever.asked[0][0] == QUESTION["content"]

    @pytest.mark.parametrize(
        "changes",
        [
            {"messages": []},
            {"messages": [{"role": "user", "content": ""}]},
            {"messages": [{"role": "user", "content": None}]},
            {"messages": [{"role": "user", "content": [1, {"type": "text", "text": 5}]}]},
            {"messages": [{"role": "user", "content": "x" * 9000}]},
            {"messages": [{"role": "assistant", "content": "Hello."}]},
            {"messages": [{"role": "pirate", "content": "Arr."}]},
            {"messages": "hello"},
            {"max_tokens": 0},
            {"max_tokens": -(10**30)},
            {"nexus": {"top_k": 51}},
            {"nexus": {"knowledge_base": '" or scope != "'}},
            {"nexus": {"conversation_id": "a:b"}},
            {"nexus": {"conversation_id": "x" * 129}},
        ],
    )
    async def test_bad_input_is_a_400_that_says_why(self, world, changes):
        async with world.client() as client:
            response = await client.post(URL, json=body(**changes))
        assert response.status_code == 400
        assert error_of(response)["message"]

    @pytest.mark.parametrize("stream", [True, False])
    async def test_what_is_down_before_the_first_word_is_a_503_with_retry_after(self, world, stream):
        world.retriever.down = True
        async with world.client() as client:
            response = await client.post(URL, json=body(stream=stream))
        assert response.status_code == 503
        assert int(response.headers["retry-after"]) > 0
        assert error_of(response)["code"] == "unavailable"

    async def test_too_many_at_once_are_sent_away_with_retry_after(self, world):
        world.slots = ReaderSlots(at_once=1, waiting=0, wait_seconds=1)
        world.reader.go.clear()
        async with world.client() as client:
            first = asyncio.create_task(client.post(URL, json=body()))
            await world.reader.asked.wait()
            refused = await client.post(URL, json=body())
            world.reader.go.set()
            assert (await first).status_code == 200
        assert refused.status_code == 503
        assert error_of(refused)["code"] == "overloaded"
        assert refused.headers["retry-after"]


class TestStreamed:
    async def test_openais_client_hears_the_words_and_gets_our_fields_last(self, world):
        async with openai_client(world) as client:
            stream = await client.chat.completions.create(
                model="nexus", messages=[QUESTION], stream=True, stream_options={"include_usage": True}
            )
            chunks = [chunk async for chunk in stream]
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "3 minutes. [1]"
        assert chunks[0].choices[0].delta.role == "assistant"
        assert len({chunk.id for chunk in chunks}) == 1
        last = chunks[-1]
        assert last.choices[0].finish_reason == "stop"
        assert last.usage.completion_tokens == 12
        assert last.citations[0]["document"] == "argo/faq.md"
        assert last.nexus["abstained"] is False
        assert [chunk.choices[0].finish_reason for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)

    async def test_the_stream_ends_with_done_and_usage_stands_at_its_tail(self, world):
        async with world.client() as client:
            response = await client.post(URL, json=body(stream=True))
        assert response.headers["content-type"].startswith("text/event-stream")
        *_, last, done = events_of(response)
        assert done == "[DONE]"
        assert list(json.loads(last))[-1] == "usage"
        assert json.loads(last)["id"] in world.answers.kept

    async def test_a_break_in_the_middle_is_an_error_event_and_never_done(self, world):
        world.live()
        world.reader.fails_after = 1
        async with world.client() as client:
            response = await client.post(URL, json=body(stream=True))
        *words, error = events_of(response)
        assert json.loads(words[0])["choices"][0]["delta"]["content"] == "3 minutes."
        assert json.loads(error)["error"]["type"] == "service_unavailable_error"
        assert "[DONE]" not in response.text

    async def test_openais_client_raises_what_broke(self, world):
        world.live()
        world.reader.fails_after = 1
        async with openai_client(world) as client:
            stream = await client.chat.completions.create(model="nexus", messages=[QUESTION], stream=True)
            with pytest.raises(openai.APIError, match="went away"):
                [chunk async for chunk in stream]

    async def test_a_bug_in_the_middle_is_told_without_its_details(self, world):
        world.live()
        world.reader.fails_after, world.reader.failure = 1, RuntimeError("secret detail")
        async with world.client() as client:
            response = await client.post(URL, json=body(stream=True))
        assert json.loads(events_of(response)[-1])["error"]["code"] == "internal_error"
        assert "secret" not in response.text


class TestLeaving:
    """Straight ASGI: httpx's transport never leaves early."""

    async def leave(self, world, *, stream, after):
        """Ask, leave when `after` is set, and return what was sent by then."""
        content = json.dumps(body(stream=stream)).encode()
        messages = [{"type": "http.request", "body": content, "more_body": False}]
        sent = []

        async def receive():
            if messages:
                return messages.pop()
            await after.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            sent.append(message)

        headers = [(name.encode(), value.encode()) for name, value in world.headers().items()]
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": URL,
            "raw_path": URL.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [*headers, (b"content-type", b"application/json")],
            "client": ("127.0.0.1", 1),
            "server": ("rag", 80),
        }
        async with asyncio.timeout(5):
            await world.app()(scope, receive, send)
        return sent

    @pytest.mark.parametrize("stream", [True, False])
    async def test_the_reader_stops_when_the_client_leaves_before_the_first_word(self, world, stream, metric):
        world.reader.go.clear()
        await self.leave(world, stream=stream, after=world.reader.asked)
        assert world.reader.stopped == 1
        assert metric("nexus_answers_abandoned_total") == 1
        assert world.answers.kept == {}

    async def test_the_reader_stops_when_the_client_leaves_in_the_middle(self, world):
        world.live()
        world.reader.go.clear()
        sent = await self.leave(world, stream=True, after=world.reader.asked)
        assert world.reader.stopped == 1
        assert b"[DONE]" not in b"".join(message.get("body", b"") for message in sent)

    async def test_the_slot_is_free_again(self, world):
        world.slots = ReaderSlots(at_once=1, waiting=0, wait_seconds=1)
        world.reader.go.clear()
        await self.leave(world, stream=True, after=world.reader.asked)
        world.reader.go.set()
        async with world.client() as client:
            assert (await client.post(URL, json=body())).status_code == 200
