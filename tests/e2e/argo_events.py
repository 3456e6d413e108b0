"""The part of Argo Events in a test: orders are posted to it with its token, and kept as the events they become."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "the-token-of-the-event-source"
PATH = "/retraining"


class EventSource(ThreadingHTTPServer):
    """Takes what is posted with its token, as events."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Door)
        self.events: list[Mapping[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}{PATH}"


class _Door(BaseHTTPRequestHandler):
    server: EventSource

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self._lets_in():
            self.server.events.append({"header": dict(self.headers), "body": body})
            self._answer(200)

    def do_HEAD(self) -> None:
        if self._lets_in():
            self._answer(400)

    def _lets_in(self) -> bool:
        known = self.path == PATH and self.headers["authorization"] == f"Bearer {TOKEN}"
        if not known:
            self._answer(401)
        return known

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def event_source() -> Iterator[EventSource]:
    """One that listens."""
    with EventSource() as source:
        threading.Thread(target=source.serve_forever, daemon=True).start()
        yield source
        source.shutdown()
