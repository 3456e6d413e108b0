"""Answers from a log like rag's to traces, votes and scores in a real MLflow, by the worker as it is run."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from mlflow import MlflowClient
from nexus_serving.embedder_model import prepare_embedder
from nexus_serving.layout import Layout
from opskit.contracts.answers import AnswerRecord
from opskit.errors import Unavailable
from trainer.adapters.rag_client import RagClient
from trainer.observing.pseudonyms import Pseudonyms
from trainer.observing.traces import trace_of

pytestmark = pytest.mark.contract

TOKEN = "an-internal-token-of-length"


class RagLog(BaseHTTPRequestHandler):
    """rag's door, over a list."""

    kept: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        if path != "/internal/answers" or self.headers["authorization"] != f"Bearer {TOKEN}":
            self.send_error(404)
            return
        start, limit = int(query.get("after", ["0"])[0], 16), int(query["limit"][0])
        found = self.kept[start : start + limit]
        body = f'{{"answers":[{",".join(found)}],"next_cursor":"{start + len(found):x}"}}'.encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Not on the test's output."""


@pytest.fixture
def rag_url() -> Iterator[str]:
    RagLog.kept = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), RagLog)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def metrics(
    tmp_path: Path, database: str, redis, port: int, mlflow_url: str, rag_url: str
) -> Iterator[Callable[[], str]]:
    """The worker runs; this asks for its metrics."""
    prepare_embedder(Layout.from_environment(), print)
    environment = {
        "NEXUS_INTERNAL_TOKEN": TOKEN,
        "NEXUS_TRAINER_DATABASE_URL": database,
        "NEXUS_BROKER_URL": redis.url,
        "NEXUS_WORKER_METRICS_PORT": str(port),
        "NEXUS_MLFLOW_URL": mlflow_url,
        "NEXUS_RAG_URL": rag_url,
        "NEXUS_OBSERVE_EVERY": "PT1S",
        "NEXUS_JUDGE_SHARE": "1",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    command = [sys.executable, "-m", "celery", "-A", "trainer.worker:app", "worker"]
    with (tmp_path / "worker.log").open("wb") as log:
        process = subprocess.Popen(command, env=os.environ | environment, stdout=log, stderr=log)

    def read() -> str:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/metrics").text
        except httpx.HTTPError:
            return ""

    yield read
    process.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(15)
    process.kill()
    assert process.wait() == 0, (tmp_path / "worker.log").read_text()[-3000:]


def until(condition: Callable[[], object], *, seconds: float = 150.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.2)


def test_an_answer_is_traced_rated_and_judged(metrics, store, make_answer, make_vote, mlflow_url, monkeypatch):
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    answer: AnswerRecord = make_answer(
        answer_id=f"ans_{uuid.uuid4().hex}", timings={"understand": 1.0, "retrieve": 9.0, "read": 40.0, "total": 50.0}
    )
    RagLog.kept.append(answer.model_dump_json())
    until(lambda: 'nexus_observed_answers_total{outcome="traced"} 1.0' in metrics())
    trace = trace_of(answer, Pseudonyms(TOKEN))
    client = MlflowClient(mlflow_url)
    assert client.get_trace(f"tr-{trace.id}").info.execution_duration == 50

    store.keep(make_vote("down", correction="One minute.", answer_id=answer.answer_id), now=answer.created_at)
    until(lambda: 'nexus_judged_groundedness_count{release="rel_1"} 1.0' in metrics())
    until(lambda: len(client.get_trace(f"tr-{trace.id}").info.assessments) == 4)
    found = {one.name: one for one in client.get_trace(f"tr-{trace.id}").info.assessments}
    assert found["user_rating"].value == "down"
    assert found["user_rating"].rationale == "Correction: One minute."
    assert 0.5 < found["groundedness"].value < 1.0  # the quote stands there; "Two minutes." does not
    assert "The interval is 120 seconds." in found["groundedness"].rationale
    assert found["groundedness"].source.source_type == "CODE"
    assert set(found) == {"user_rating", "groundedness", "context_relevance", "answer_relevance"}
    said = metrics()
    assert 'nexus_judgements_total{outcome="done"} 1.0' in said
    assert "nexus_judgements_waiting 0.0" in said
    assert "nexus_observe_lag_seconds" in said


class TestRagClient:
    @pytest.fixture
    def rag(self, rag_url: str) -> Iterator[RagClient]:
        with httpx.Client(base_url=rag_url) as client:
            yield RagClient(client, token=TOKEN)

    def test_answers_come_page_by_page(self, rag, make_answer):
        RagLog.kept = [make_answer(answer_id=f"ans_{number}").model_dump_json() for number in range(3)]
        first = rag.after(None, limit=2)
        second = rag.after(first.cursor, limit=2)
        assert [one.answer_id for one in (*first.answers, *second.answers)] == ["ans_0", "ans_1", "ans_2"]
        assert (first.more, second.more) == (True, False)

    def test_a_record_of_an_earlier_or_a_later_version_is_read(self, rag, make_answer):
        record = json.loads(make_answer().model_dump_json())
        for name in ("timings", "scores", "usage", "confidence"):
            del record[name]
        RagLog.kept = [json.dumps(record | {"something_new": 1})]
        (answer,) = rag.after(None, limit=2).answers
        assert (answer.timings, answer.scores, answer.usage) == ({}, None, None)

    def test_a_record_that_cannot_be_read_is_counted_and_stops_nothing(self, rag, make_answer):
        RagLog.kept = ['{"answer_id": 5}', make_answer().model_dump_json()]
        page = rag.after(None, limit=10)
        assert ([one.answer_id for one in page.answers], page.unreadable, page.cursor) == (["ans_1"], 1, "2")

    def test_a_rag_that_is_away_is_unavailable(self, port):
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client, pytest.raises(Unavailable):
            RagClient(client, token=TOKEN).after(None, limit=1)
