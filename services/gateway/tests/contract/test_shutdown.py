"""SIGTERM to the real process: readiness fails, what is under way is finished, and then it is gone."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

pytestmark = pytest.mark.contract
ADMIN = "bootstrap-key-0123456789-abcdef"
QUESTION = {"model": "nexus", "stream": True, "messages": [{"role": "user", "content": "How long?"}]}


class SlowRag(BaseHTTPRequestHandler):
    go_on = threading.Event()

    def do_GET(self):
        body = b'{"checks": {}}'
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        self.wfile.write(b"data: first\n\n")
        self.go_on.wait(20)
        self.wfile.write(b"data: last\n\ndata: [DONE]\n\n")

    def log_message(self, *_):
        pass


@pytest.fixture
def rag():
    SlowRag.go_on.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), SlowRag)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    SlowRag.go_on.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def gateway(rag, tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "NEXUS_INTERNAL_TOKEN": "internal-token-for-tests",
        "NEXUS_BOOTSTRAP_KEY": ADMIN,
        "NEXUS_GATEWAY_DATABASE_URL": f"sqlite:///{tmp_path}/gateway.db",
        "NEXUS_REDIS_URL": "redis://127.0.0.1:1/0",
        "NEXUS_RAG_URL": rag,
        "NEXUS_INGEST_URL": rag,
        "NEXUS_DRAIN_SECONDS": "0.7",
    }
    command = [sys.executable, "-m", "uvicorn", "--factory", "gateway.app:create_app", "--port", str(port)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/livez").status_code == 200:
                break
        except httpx.TransportError:
            time.sleep(0.1)
    yield url, process
    process.kill()
    process.wait()


def test_it_leaves_in_order(gateway):
    url, process = gateway
    assert httpx.get(f"{url}/readyz").status_code == 200
    headers = {"authorization": f"Bearer {ADMIN}"}
    with httpx.stream("POST", f"{url}/v1/chat/completions", json=QUESTION, headers=headers, timeout=20) as response:
        lines = response.iter_lines()
        assert next(lines) == "data: first"

        process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        draining = httpx.get(f"{url}/readyz")
        assert draining.status_code == 503
        assert "shutting down" in draining.json()["checks"]["shutdown"]

        time.sleep(1)
        with pytest.raises(httpx.TransportError):
            httpx.get(f"{url}/readyz")
        assert process.poll() is None

        SlowRag.go_on.set()
        assert [line for line in lines if line] == ["data: last", "data: [DONE]"]
    # uvicorn hands the signal on once everything is closed, so this is how an orderly end looks.
    assert process.wait(10) in (0, -signal.SIGTERM)
