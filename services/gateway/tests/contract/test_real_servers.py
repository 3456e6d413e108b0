"""Over real sockets: streams arrive as they are made, and a client that goes stops the work behind at once."""

import asyncio
import socket
import threading
import time
from contextlib import contextmanager

import httpx
import pytest
import uvicorn
from gateway.app import create_app
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

pytestmark = pytest.mark.contract
ADMIN = "bootstrap-key-0123456789-abcdef"
QUESTION = {"model": "nexus", "messages": [{"role": "user", "content": "How long?"}]}
AT_ONCE = 5.0


class Work:
    """What the service behind did, seen from the test's thread."""

    def __init__(self):
        self.begun = threading.Event()
        self.dropped = threading.Event()
        self.sent = 0
        self.received = 0


@contextmanager
def serving(app):
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, access_log=False))
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


def slow_rag(work: Work) -> Starlette:
    async def ready(_):
        return JSONResponse({"checks": {}})

    async def wait_for_the_end(request: Request):
        while (await request.receive())["type"] != "http.disconnect":
            pass
        work.dropped.set()

    async def chat(request: Request):
        body = await request.json()
        work.begun.set()
        if not body.get("stream"):
            await wait_for_the_end(request)
            return JSONResponse({})

        async def stream():
            try:
                while True:
                    yield b'data: {"n": %d}\n\n' % work.sent + b" " * body.get("padding", 0)
                    work.sent += 1
                    await asyncio.sleep(0.02)
            finally:
                work.dropped.set()

        return StreamingResponse(stream(), media_type="text/event-stream")

    async def flood(_: Request):
        async def stream():
            work.begun.set()
            try:
                while True:
                    yield b"x" * 65536
                    work.sent += 65536
                    await asyncio.sleep(0)
            finally:
                work.dropped.set()

        return StreamingResponse(stream())

    async def put(request: Request):
        work.begun.set()
        try:
            async for chunk in request.stream():
                work.received += len(chunk)
        except ClientDisconnect:
            work.dropped.set()
            raise
        return JSONResponse({"received": work.received}, 202)

    async def dies(_: Request):
        async def stream():
            yield b'data: {"n": 1}\n\n'
            raise RuntimeError("rag dies here")

        return StreamingResponse(stream(), media_type="text/event-stream")

    return Starlette(
        routes=[
            Route("/readyz", ready),
            Route("/v1/chat/completions", chat, methods=["POST"]),
            Route("/v1/search", dies, methods=["POST"]),
            Route("/v1/documents/{key:path}/content", flood),
            Route("/v1/documents/{key:path}", put, methods=["PUT"]),
        ]
    )


@pytest.fixture
def work():
    return Work()


@pytest.fixture
def gateway(tmp_path, work, settings_for):
    with serving(slow_rag(work)) as behind:
        settings = settings_for(
            f"sqlite:///{tmp_path}/gateway.db",
            rag_url=behind,
            ingest_url=behind,
            bootstrap_key=SecretStr(ADMIN),
            max_document_bytes=8_000_000,
        )
        with serving(create_app(settings)) as url:
            yield url


@pytest.fixture
async def client(gateway):
    headers = {"authorization": f"Bearer {ADMIN}"}
    async with httpx.AsyncClient(base_url=gateway, headers=headers, timeout=10) as client:
        yield client


async def happens(event: threading.Event) -> bool:
    return await asyncio.to_thread(event.wait, AT_ONCE)


async def test_events_arrive_while_the_answer_is_still_being_made(client):
    async with client.stream("POST", "/v1/chat/completions", json={**QUESTION, "stream": True}) as response:
        assert response.status_code == 200
        assert response.headers["x-request-id"]
        lines = response.aiter_lines()
        assert await asyncio.wait_for(anext(lines), AT_ONCE) == 'data: {"n": 0}'


async def test_leaving_a_stream_stops_the_service_at_once(client, work):
    async with client.stream("POST", "/v1/chat/completions", json={**QUESTION, "stream": True}) as response:
        await anext(response.aiter_raw())
    assert await happens(work.dropped)
    after = work.sent
    await asyncio.sleep(0.2)
    assert work.sent == after


async def test_leaving_before_the_answer_begins_stops_the_service_at_once(client, work):
    with pytest.raises(httpx.ReadTimeout):
        await client.post("/v1/chat/completions", json=QUESTION, timeout=0.3)
    assert work.begun.is_set()
    assert await happens(work.dropped)


async def test_a_slow_reader_slows_the_service_and_fills_no_memory(client, work):
    async with client.stream("GET", "/v1/documents/big.bin/content") as response:
        chunks = response.aiter_raw()
        await anext(chunks)
        await asyncio.sleep(0.5)
        sent = work.sent
        await asyncio.sleep(0.5)
        assert work.sent == sent
        assert sent < 32 * 1024 * 1024
    assert await happens(work.dropped)


async def test_leaving_in_the_middle_of_an_upload_stops_the_service_at_once(client, work):
    async def half_a_document():
        yield b"x" * 200_000
        await asyncio.sleep(0.3)
        raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        await client.put("/v1/documents/a.bin", content=half_a_document())
    assert await happens(work.dropped)


async def test_a_large_document_goes_through_whole(client, work):
    response = await client.put("/v1/documents/a.bin", content=b"x" * 7_000_000)
    assert (response.status_code, response.json()) == (202, {"received": 7_000_000})


async def test_a_document_declared_too_large_is_refused_before_it_is_sent_on(client, work):
    response = await client.put("/v1/documents/a.bin", content=b"x" * 9_000_000)
    assert response.status_code == 413
    assert not work.begun.is_set()


async def test_a_document_that_turns_out_too_large_is_cut_off(client, work):
    async def endless():
        for _ in range(200):
            yield b"x" * 100_000

    response = await client.put("/v1/documents/a.bin", content=endless())
    assert response.status_code == 413
    assert await happens(work.dropped)
    assert work.received <= 8_000_000


async def test_a_stream_that_breaks_ends_with_an_error_event(client):
    response = await client.post("/v1/search", json={"query": "x"})
    events = [line for line in response.text.splitlines() if line]
    assert events[0] == 'data: {"n": 1}'
    assert '"code":"unavailable"' in events[1]
    assert "[DONE]" not in response.text


async def test_raw_bytes_in_the_path_are_refused_and_the_server_lives_on(gateway, client):
    host, port = gateway.removeprefix("http://").split(":")
    for path in (b"/v1/documents/caf\xc3\xa9", b"/v1/documents/\x00", b"/v1/documents/../keys"):
        reader, writer = await asyncio.open_connection(host, int(port))
        key = b"authorization: Bearer " + ADMIN.encode()
        writer.write(b"DELETE " + path + b" HTTP/1.1\r\nhost: x\r\nconnection: close\r\n" + key + b"\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        assert answer.startswith(b"HTTP/1.1 400"), answer
    assert (await client.get("/livez")).status_code == 200


async def test_a_service_that_is_not_there_is_503_quickly(tmp_path, settings_for):
    settings = settings_for(f"sqlite:///{tmp_path}/other.db", rag_url="http://127.0.0.1:1")
    with serving(create_app(settings)) as url:
        async with httpx.AsyncClient(base_url=url, headers={"authorization": f"Bearer {ADMIN}"}) as client:
            started = time.monotonic()
            response = await client.post("/v1/chat/completions", json=QUESTION)
            assert time.monotonic() - started < AT_ONCE
    assert response.status_code == 503
    assert response.headers["retry-after"]
