"""Asking a part how it is."""

import http.server
import json
import socket
import threading

import pytest
from embedded.probes import trouble
from embedded.processes import Probe


@pytest.fixture
def serve():
    """Start a little server that answers each connection with these bytes; its port."""
    servers = []

    def start(answer: bytes) -> int:
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def run() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(1024)
                    connection.sendall(answer)

        threading.Thread(target=run, daemon=True).start()
        return server.getsockname()[1]

    yield start
    for server in servers:
        server.close()


def answered(status: int, body: object) -> bytes:
    text = json.dumps(body).encode()
    phrase = http.server.BaseHTTPRequestHandler.responses[status][0]
    return f"HTTP/1.1 {status} {phrase}\r\ncontent-length: {len(text)}\r\n\r\n".encode() + text


def test_a_part_that_can_serve_has_no_trouble(serve):
    assert trouble(Probe("http", serve(answered(200, {})), "/readyz")) is None
    assert trouble(Probe("redis", serve(b"+PONG\r\n"))) is None
    assert trouble(Probe("port", serve(b""))) is None


def test_a_service_says_what_it_lacks(serve):
    lacking = answered(503, {"status": "unavailable", "checks": {"milvus": "cannot be reached", "redis": "ok"}})
    assert trouble(Probe("http", serve(lacking), "/readyz")) == "milvus: cannot be reached"


@pytest.mark.parametrize("body", [{"other": 1}, ["x"], "text", {"checks": None}])
def test_an_answer_that_says_nothing_is_told_by_its_status(serve, body):
    assert trouble(Probe("http", serve(answered(500, body)), "/")) == "answers 500"


def test_a_redis_that_is_loading_is_not_ready(serve):
    assert trouble(Probe("redis", serve(b"-LOADING Redis is loading\r\n"))) == "says -LOADING Redis is loading"


def test_nobody_there_and_nonsense_are_told_and_never_raised(serve):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for kind in ("http", "redis", "port"):
        assert trouble(Probe(kind, port, "/")) == "does not listen yet"
    assert "does not answer" in str(trouble(Probe("http", serve(b"\x00\x01nonsense\r\n\r\n"), "/")))
