"""The gateway's client: what it sends, how it reads streams, what it makes of errors."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
from ui.api import GatewayClient
from ui.errors import Broken, Busy, Interrupted, InTheWay, KeyRefused, NotThere, Rejected, ScopeMissing, Unreachable
from ui.models import Delta, Finished, Waiting

STREAM = {"content-type": "text/event-stream"}
WORDS = b'data: {"id": "ans_1", "choices": [{"delta": {"content": "15 days."}}]}\n\n'
END = b'data: {"id": "ans_1", "choices": [{"delta": {}}], "citations": [], "nexus": {"abstained": true}}\n\n'
DONE = b"data: [DONE]\n\n"


def client(handler: Callable[[httpx.Request], object]) -> GatewayClient:
    return GatewayClient("http://gateway.invalid", "nx_key", transport=httpx.MockTransport(handler))


def streamed(*pieces: bytes) -> GatewayClient:
    async def body() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    return client(lambda _: httpx.Response(200, headers=STREAM, content=body()))


def listen(gateway: GatewayClient) -> list[object]:
    events = gateway.ask("How long?", knowledge_base="default", conversation_id=None)
    return [event for event in events if not isinstance(event, Waiting)]


def refused(status: int, message: str = "No.", **headers: str) -> GatewayClient:
    body = {"error": {"message": message, "type": "x", "param": None, "code": None}}
    return client(lambda _: httpx.Response(status, json=body, headers=headers))


class TestAsk:
    def test_sends_the_question_with_its_knowledge_base_and_conversation(self):
        seen: list[httpx.Request] = []

        def answer(request: httpx.Request) -> httpx.Response:
            seen.append(request)
            return httpx.Response(200, headers=STREAM, content=WORDS + END + DONE)

        list(client(answer).ask("How long?", knowledge_base="handbook", conversation_id="conv_1"))
        assert seen[0].headers["authorization"] == "Bearer nx_key"
        assert json.loads(seen[0].content) == {
            "model": "nexus",
            "messages": [{"role": "user", "content": "How long?"}],
            "stream": True,
            "nexus": {"knowledge_base": "handbook", "conversation_id": "conv_1"},
        }

    def test_gives_the_words_and_then_the_end(self):
        words, end = listen(streamed(WORDS, END, DONE))
        assert words == Delta("15 days.")
        assert isinstance(end, Finished)
        assert end.abstained

    def test_lines_may_be_cut_anywhere_and_comments_come_between(self):
        whole = b": keep-alive\n\n" + WORDS + END.replace(b"\n", b"\r\n") + DONE
        pieces = [whole[at : at + 7] for at in range(0, len(whole), 7)]
        assert [type(event) for event in listen(streamed(*pieces))] == [Delta, Finished]

    def test_an_error_event_interrupts(self):
        with pytest.raises(Interrupted, match="went away"):
            listen(streamed(WORDS, b'\n\ndata: {"error": {"message": "The reader went away."}}\n\n'))

    def test_a_stream_that_just_ends_is_not_a_whole_answer(self):
        with pytest.raises(Interrupted):
            listen(streamed(WORDS, END))

    def test_a_connection_that_breaks_interrupts(self):
        async def body() -> AsyncIterator[bytes]:
            yield WORDS
            raise httpx.ReadError("reset")

        with pytest.raises(Interrupted):
            listen(client(lambda _: httpx.Response(200, headers=STREAM, content=body())))

    def test_an_answer_that_is_no_stream_is_an_error(self):
        with pytest.raises(Broken):
            listen(client(lambda _: httpx.Response(200, json={"choices": []})))

    def test_a_refusal_says_when_to_come_back(self):
        with pytest.raises(Busy, match="Too many questions") as refusal:
            listen(refused(503, "Too many questions.", **{"retry-after": "7"}))
        assert refusal.value.retry_after == 7

    def test_while_the_model_is_silent_the_listener_can_stop_and_that_ends_the_request(self):
        ended = []

        async def silence() -> AsyncIterator[bytes]:
            try:
                await asyncio.sleep(60)
                yield WORDS
            finally:
                ended.append(True)

        started = time.monotonic()
        events = client(lambda _: httpx.Response(200, headers=STREAM, content=silence())).ask(
            "How long?", knowledge_base="default", conversation_id=None
        )
        assert next(events) == Waiting()
        events.close()
        assert ended == [True]
        assert time.monotonic() - started < 5


class TestErrors:
    @pytest.mark.parametrize(
        ("status", "error"),
        [
            (400, Rejected),
            (401, KeyRefused),
            (403, ScopeMissing),
            (404, NotThere),
            (409, InTheWay),
            (413, Rejected),
            (429, Busy),
            (500, Broken),
            (503, Busy),
        ],
    )
    def test_each_status_has_its_error_with_the_gateways_message(self, status, error):
        with pytest.raises(error, match="This is why"):
            refused(status, "This is why.").status()

    def test_a_proxys_page_instead_of_our_error_is_understood_too(self):
        with pytest.raises(Broken, match="status 502"):
            client(lambda _: httpx.Response(502, text="<html>")).status()

    def test_nobody_there(self):
        def nobody(_: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("refused")

        with pytest.raises(Unreachable):
            client(nobody).knowledge_bases()
        with pytest.raises(Unreachable):
            listen(client(nobody))

    def test_no_answer_in_time(self):
        def late(_: httpx.Request) -> httpx.Response:
            raise httpx.ReadTimeout("late")

        with pytest.raises(Unreachable, match="in time"):
            client(late).status()

    @pytest.mark.parametrize("body", [b"", b"[]", b'{"hits": [{}]}', b'{"hits": 3}', b'{"other": []}'])
    def test_a_shape_we_do_not_know_is_an_error(self, body):
        with pytest.raises(Broken):
            client(lambda _: httpx.Response(200, content=body)).search("x", knowledge_base="default", top_k=3)


class TestCalls:
    def test_keys_keep_their_folders_and_nothing_else_of_them_reaches_the_url(self):
        seen: list[httpx.Request] = []

        def take(request: httpx.Request) -> httpx.Response:
            seen.append(request)
            return httpx.Response(202, json={})

        key = "a b/ü?#%.md"
        client(take).upload(key, b"bytes", knowledge_base="handbook", media_type="text/markdown")
        client(take).delete(key, knowledge_base="handbook")
        path = b"/v1/documents/a%20b/%C3%BC%3F%23%25.md?knowledge_base=handbook"
        assert [(request.method, request.url.raw_path) for request in seen] == [("PUT", path), ("DELETE", path)]
        assert (seen[0].content, seen[0].headers["content-type"]) == (b"bytes", "text/markdown")

    def test_a_vote_carries_only_what_was_said(self):
        bodies: list[object] = []

        def take(request: httpx.Request) -> httpx.Response:
            bodies.append(json.loads(request.content))
            return httpx.Response(201, json={})

        client(take).vote("ans_1", "up")
        client(take).vote("ans_1", "down", correction="It is 30 days.")
        assert bodies == [
            {"answer_id": "ans_1", "rating": "up"},
            {"answer_id": "ans_1", "rating": "down", "correction": "It is 30 days."},
        ]

    def test_a_page_of_documents_and_where_the_next_begins(self):
        row = {"document": "a.md", "status": "indexed", "chunks": 2, "error": None, "new_field": 1}
        body = {"documents": [row], "next_cursor": "n", "total": 900}
        page = client(lambda _: httpx.Response(200, json=body)).documents("default")
        assert (page.documents[0].document, page.documents[0].settled, page.next_cursor) == ("a.md", True, "n")

    def test_the_bytes_of_a_document(self):
        content = client(lambda _: httpx.Response(200, content=b"%PDF", headers={"content-type": "application/pdf"}))
        found = content.content("a.pdf", knowledge_base="default")
        assert (found.data, found.media_type) == (b"%PDF", "application/pdf")
