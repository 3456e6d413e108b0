"""Questions: what is passed on, and what is refused before anybody works on it."""

import json

import pytest
from starlette.responses import JSONResponse, Response, StreamingResponse

USER = {"role": "user", "content": "How long?"}
URL = "/v1/chat/completions"


def ask(**changes):
    return {"model": "nexus", "messages": [USER], **changes}


def error_of(response):
    assert set(response.json()) == {"error"}
    error = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return error


async def test_the_answer_of_rag_comes_back_byte_for_byte(stack):
    body = b'{"id": "ans_1",   "object": "chat.completion", "odd spacing": true}'
    stack.rag.answer = lambda _: Response(body, media_type="application/json")
    response = await stack.client.post(URL, json=ask())
    assert (response.status_code, response.content) == (200, body)
    assert response.headers["content-type"] == "application/json"


async def test_only_what_was_checked_is_passed_on(stack):
    await stack.client.post(
        URL, json=ask(temperature=1, store=True, n=1, tools=[], nexus={"top_k": 3, "tenant": "other"}, user=None)
    )
    (seen,) = stack.rag.seen
    assert json.loads(seen.body) == {"model": "nexus", "messages": [USER], "temperature": 1.0, "nexus": {"top_k": 3}}


async def test_a_stream_comes_back_as_it_was_sent(stack):
    events = [b'data: {"choices": []}\n\n', b"data: [DONE]\n\n"]

    def answer(_):
        async def stream():
            for event in events:
                yield event

        return StreamingResponse(stream(), media_type="text/event-stream")

    stack.rag.answer = answer
    response = await stack.client.post(URL, json=ask(stream=True))
    assert response.content == b"".join(events)
    assert response.headers["content-type"].startswith("text/event-stream")


async def test_text_parts_are_messages_too(stack):
    message = {"role": "user", "content": [{"type": "text", "text": "How "}, {"type": "text", "text": "long?"}]}
    assert (await stack.client.post(URL, json=ask(messages=[message]))).status_code == 200


@pytest.mark.parametrize("status", [400, 404, 409, 429, 503])
async def test_a_refusal_of_rag_comes_back_whole(stack, status):
    body = {"error": {"message": "because", "type": "t", "param": None, "code": "c"}}
    stack.rag.answer = lambda _: JSONResponse(body, status, headers={"retry-after": "7", "x-secret": "inside"})
    response = await stack.client.post(URL, json=ask())
    assert (response.status_code, response.json()) == (status, body)
    assert response.headers["retry-after"] == "7"
    assert "x-secret" not in response.headers


async def test_rag_being_down_is_503_with_retry_after_and_its_name(stack):
    stack.rag.down = True
    response = await stack.client.post(URL, json=ask())
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) >= 1
    assert "rag" in error_of(response)["message"]
    stack.rag.down = False
    assert (await stack.client.post(URL, json=ask())).status_code == 200


async def test_an_unknown_model_is_404_model_not_found(stack):
    response = await stack.client.post(URL, json=ask(model="gpt-9"))
    assert response.status_code == 404
    assert error_of(response)["code"] == "model_not_found"
    assert [seen.path for seen in stack.rag.seen] == ["/v1/models"]


async def test_a_model_that_rag_lists_is_asked(stack):
    stack.rag.answer = lambda _: JSONResponse({"object": "list", "data": [{"id": "nexus"}, {"id": "rel_abc"}]})
    assert (await stack.client.post(URL, json=ask(model="rel_abc"))).status_code == 200
    assert (await stack.client.get("/v1/models/rel_abc")).json()["id"] == "rel_abc"
    assert (await stack.client.get("/v1/models/rel_no")).status_code == 404


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"model": None}, "model"),
        ({"model": ""}, "model"),
        ({"model": 5}, "model"),
        ({"model": "x" * 300}, "model"),
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": "hello"}, "messages"),
        ({"messages": ["hello"]}, "messages.0"),
        ({"messages": [{"role": "user"}]}, "messages.0.content"),
        ({"messages": [{"role": "wizard", "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": ["user"], "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "user", "content": None}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": {"a": 1}}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages.0.content.0.type"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages.0.content.0.text"),
        ({"messages": [{"role": "user", "content": [5]}]}, "messages.0.content.0"),
        ({"messages": [{"role": "user", "content": "nul \0"}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": ""}]}, None),
        ({"messages": [{"role": "user", "content": " \n"}]}, None),
        ({"messages": [{"role": "user", "content": []}]}, None),
        ({"messages": [{"role": "system", "content": "be nice"}]}, None),
        ({"messages": [USER, {"role": "assistant", "content": "x"}, {"role": "user", "content": ""}]}, None),
        ({"messages": [USER] * 1001}, "messages"),
        ({"stream": "yes"}, "stream"),
        ({"stream": 1}, "stream"),
        ({"stream_options": {"include_usage": True}}, None),
        ({"temperature": -1}, "temperature"),
        ({"temperature": 1e300}, "temperature"),
        ({"temperature": "0.5"}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"top_p": 1.1}, "top_p"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": -5}, "max_tokens"),
        ({"max_tokens": 10**9}, "max_tokens"),
        ({"max_tokens": 10**40}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"seed": 2**70}, "seed"),
        ({"stop": ["a"] * 5}, "stop"),
        ({"n": 2}, "n"),
        ({"n": 0}, "n"),
        ({"n": -1}, "n"),
        ({"n": True}, "n"),
        ({"tools": [{"type": "function"}]}, "tools"),
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"logprobs": True}, "logprobs"),
        ({"audio": {"voice": "x"}}, "audio"),
        ({"nexus": []}, "nexus"),
        ({"nexus": {"top_k": 0}}, "nexus.top_k"),
        ({"nexus": {"top_k": 10**6}}, "nexus.top_k"),
        ({"nexus": {"top_k": "5"}}, "nexus.top_k"),
        ({"nexus": {"knowledge_base": "../x"}}, "nexus.knowledge_base"),
        ({"nexus": {"knowledge_base": "a\nb"}}, "nexus.knowledge_base"),
        ({"nexus": {"knowledge_base": "default\n"}}, "nexus.knowledge_base"),
        ({"nexus": {"conversation_id": "a b"}}, "nexus.conversation_id"),
        ({"nexus": {"conversation_id": "abc\n"}}, "nexus.conversation_id"),
        ({"nexus": {"conversation_id": "x" * 129}}, "nexus.conversation_id"),
    ],
)
async def test_a_senseless_question_is_400_and_says_where(stack, change, param):
    response = await stack.client.post(URL, json=ask(**change))
    assert response.status_code == 400, response.text
    assert error_of(response)["type"] == "invalid_request_error"
    assert error_of(response)["param"] == param
    assert not stack.rag.seen


@pytest.mark.parametrize("what", ["n", "tools", "response_format"])
async def test_what_openai_has_and_we_do_not_is_called_unsupported(stack, what):
    value = {"n": 2, "tools": [{}], "response_format": {"type": "json_schema"}}[what]
    error = error_of(await stack.client.post(URL, json=ask(**{what: value})))
    assert error["code"] == "unsupported_parameter"
    assert "not supported" in error["message"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"5",
        b"NaN",
        b"\xff\xfe",
        b"\x00",
        b'{"model": "nexus", "messages": NaN}',
        b'{"temperature": Infinity}',
        b'{"temperature": 1e999}',
        b'{"model": "\\ud800"}',
        b'{"model": "\xed\xa0\x80"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"model": "nexus", "tools": ' + b"[" * 900 + b"]" * 900 + b"}",
        b'{"model": "nexus", "x": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        b'{"model": "nexus", "messages": ' + b"[" * 1000 + b"]" * 1000 + b"}",
        b'{"model": "nexus"} trailing',
    ],
    ids=lambda body: repr(body[:24]),
)
async def test_what_is_not_json_of_a_question_is_400(stack, body):
    response = await stack.client.post(URL, content=body)
    assert response.status_code == 400
    error_of(response)
    assert not stack.rag.seen


async def test_a_body_over_the_cap_is_413_whether_declared_or_not(stack):
    big = b'{"model": "' + b"x" * 2**20 + b'"}'

    async def undeclared():
        for start in range(0, len(big), 65536):
            yield big[start : start + 65536]

    for content in (big, undeclared()):
        response = await stack.client.post(URL, content=content)
        assert response.status_code == 413
        assert error_of(response)["code"] == "too_large"


@pytest.mark.parametrize("length", ["-1", "abc", "9" * 30, "1_0"])
async def test_a_content_length_that_is_none_is_400(stack, length):
    response = await stack.client.post(URL, content=b"{}", headers={"content-length": length})
    assert response.status_code == 400


async def test_unknown_paths_and_methods_have_the_same_error_shape(stack):
    unknown = await stack.client.get("/v1/nothing")
    assert unknown.status_code == 404
    error_of(unknown)
    wrong = await stack.client.get(URL)
    assert wrong.status_code == 405
    error_of(wrong)
    assert "POST" in wrong.headers["allow"]


async def test_too_many_answers_at_once_are_turned_away_with_503_at_once(start):
    async with start(max_answers_in_flight=1) as stack:
        turned_away = []

        def answer(_):
            async def slow():
                async with stack.as_key(stack_key) as second:
                    turned_away.append(await second.post(URL, json=ask()))
                yield b"{}"

            return StreamingResponse(slow(), media_type="application/json")

        stack_key = await stack.key("chat")
        stack.rag.answer = answer
        assert (await stack.client.post(URL, json=ask())).status_code == 200
        (response,) = turned_away
        assert response.status_code == 503
        assert error_of(response)["code"] == "overloaded"
        assert response.headers["retry-after"] == "1"
        stack.rag.answer = lambda _: JSONResponse({})
        assert (await stack.client.post(URL, json=ask())).status_code == 200


async def test_a_key_that_is_too_fast_is_429_with_retry_after_and_others_are_not(start):
    async with start(rate_limit_per_minute=3) as stack:
        slow, fast = await stack.key("chat"), await stack.key("chat")
        async with stack.as_key(fast) as client:
            statuses = [(await client.get("/v1/models")).status_code for _ in range(4)]
            assert statuses == [200, 200, 200, 429]
            refused = await client.get("/v1/models")
            assert 1 <= int(refused.headers["retry-after"]) <= 120
            assert error_of(refused)["code"] == "rate_limit_exceeded"
        async with stack.as_key(slow) as client:
            assert (await client.get("/v1/models")).status_code == 200


async def test_usage_is_counted_by_tenant_and_written_beside_the_hot_path(start):
    async with start(usage_flush_seconds=0.05) as stack:
        usage = {"prompt_tokens": 120, "completion_tokens": 30, "total_tokens": 150}
        stack.rag.answer = lambda _: JSONResponse({"id": "ans_1", "usage": usage})
        async with stack.as_key(await stack.key("chat", tenant="acme")) as client:
            await client.post(URL, json=ask())
            await client.post(URL, json=ask())
            await client.post(URL, content=b"{")
        await stack.app.state.gateway.usage.flush()
        listed = (await stack.client.get("/v1/usage")).json()["usage"]
        acme = next(row for row in listed if row["tenant"] == "acme")
        assert acme["requests"] == 3
        assert acme["answers"] == 2
        assert (acme["prompt_tokens"], acme["completion_tokens"]) == (240, 60)


async def test_metrics_name_routes_by_template_and_never_by_key_or_document(stack):
    await stack.client.post(URL, json=ask())
    await stack.client.get("/v1/documents/very-secret-name.md")
    await stack.client.get("/v1/nothing/here")
    text = (await stack.client.get("/metrics")).text
    assert 'nexus_gateway_requests_total{method="POST",route="/v1/chat/completions",status="200"}' in text
    assert 'route="/v1/documents/{key}"' in text
    assert 'route="unmatched"' in text
    assert "very-secret-name" not in text
    assert "acme" not in text
