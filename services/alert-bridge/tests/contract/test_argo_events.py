"""Orders over real HTTP to a recorded server: it stands where an Argo Events event source would, and answers as that
does (path and token first, then the method), but submits no workflow."""

import asyncio
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from alert_bridge.adapters.argo_events import ArgoEvents
from alert_bridge.app import create_app
from alert_bridge.settings import Settings
from opskit.contracts.runs import RunOrder
from opskit.errors import Unavailable
from opskit.http import create_http_client

pytestmark = pytest.mark.contract

ORDER = RunOrder(run_id="run_0123456789", incident="inc_0123456789", reason="Slow. \u2615")
TOKEN = "a-token-for-events"


class RecordedServer(ThreadingHTTPServer):
    """Remembers the bodies that it took."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _EventSource)
        self.taken = []
        self.answer = 200
        self.silence = threading.Event()
        self.silence.set()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/runs"


class _EventSource(BaseHTTPRequestHandler):
    server: RecordedServer

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.silence.wait(10)
        self._answer(self._refusal() or self._take(body))

    def do_HEAD(self):
        self._answer(self._refusal() or 400)

    def _refusal(self):
        if self.path != "/runs":
            return 404
        return None if self.headers["authorization"] == f"Bearer {TOKEN}" else 401

    def _take(self, body):
        if self.server.answer == 200:
            assert self.headers["content-type"] == "application/json"
            self.server.taken.append(body)
        return self.server.answer

    def _answer(self, status):
        self.send_response(status)
        self.send_header("content-length", "0")
        if status == 307:
            self.send_header("location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def events():
    server = RecordedServer()
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.silence.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
async def client(events):
    async with create_http_client(events.url, name="alert-bridge", read_seconds=0.3) as client:
        yield client


@pytest.fixture
def starter(client, events):
    return ArgoEvents(client, events.url, TOKEN)


async def test_an_order_is_posted_as_the_contract_says(events, starter):
    await starter.check()
    await starter.start(ORDER)
    assert [RunOrder.model_validate(body) for body in events.taken] == [ORDER]


async def test_to_check_orders_nothing(events, starter):
    await starter.check()
    assert events.taken == []


@pytest.mark.parametrize("status", [307, 400, 429, 500, 503])
async def test_whatever_is_not_taken_is_unavailable(events, starter, status):
    events.answer = status
    with pytest.raises(Unavailable, match=f"Argo Events answers {status}"):
        await starter.start(ORDER)
    assert events.taken == []


async def test_a_wrong_token_and_a_wrong_path_show_in_the_check(client, events):
    for starter, status in ((ArgoEvents(client, events.url, "wrong"), 401), (ArgoEvents(client, "/no", TOKEN), 404)):
        with pytest.raises(Unavailable, match=str(status)):
            await starter.check()
        with pytest.raises(Unavailable, match=str(status)):
            await starter.start(ORDER)


async def test_an_event_source_that_is_silent_or_gone_is_unavailable(events, starter):
    events.silence.clear()
    started = time.monotonic()
    with pytest.raises(Unavailable, match="cannot be reached"):
        await starter.start(ORDER)
    assert time.monotonic() - started < 5
    events.silence.set()
    events.shutdown()
    events.server_close()
    for ask in (starter.start(ORDER), starter.check()):
        with pytest.raises(Unavailable, match="cannot be reached"):
            await ask


async def test_the_service_hands_runs_over_to_argo_events_when_told_to(events, database, record, wish, until):
    record(wish())
    settings = Settings(
        internal_token="an-internal-token-of-length",
        webhook_token="a-webhook-token-of-length",
        alert_bridge_database_url=database,
        run_starter="argo-events",
        argo_events_url=events.url,
        argo_events_token=TOKEN,
    )
    application = create_app(settings)
    async with application.router.lifespan_context(application):
        await asyncio.to_thread(until, lambda: events.taken)
    assert [body["run_id"] for body in events.taken] == [wish().run_id]
