"""What a real Prometheus saw of releases."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from opskit.errors import Unavailable
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from trainer.adapters.prometheus import PrometheusTraffic

pytestmark = pytest.mark.contract


class Exporter:
    """Answers and votes as rag and trainer show them."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self.answers = Counter("nexus_answers_total", "", ["release", "outcome"], registry=registry)
        self.votes = Counter("nexus_feedback_total", "", ["release", "rating"], registry=registry)
        self.seconds = Histogram(
            "nexus_answer_duration_seconds", "", ["release"], registry=registry, buckets=(0.1, 1, 10)
        )
        for name in ("rel_a", "rel_b"):
            for outcome in ("answered", "abstained", "error"):
                self.answers.labels(name, outcome)
            for rating in ("up", "down"):
                self.votes.labels(name, rating)
            self.seconds.labels(name)

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(generate_latest(registry))

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def exporter() -> Iterator[Exporter]:
    made = Exporter()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def prometheus(tmp_path: Path, exporter: Exporter, port: int, serve: Callable[..., Any]) -> Iterator[httpx.Client]:
    if shutil.which("prometheus") is None:
        pytest.skip("prometheus is not installed; make setup installs it")
    config = tmp_path / "prometheus.yml"
    target = f"127.0.0.1:{exporter.server.server_port}"
    config.write_text(
        "global: {scrape_interval: 500ms}\n"
        f"scrape_configs: [{{job_name: x, scrape_timeout: 400ms, static_configs: [{{targets: ['{target}']}}]}}]\n"
    )
    command = [
        "prometheus", f"--config.file={config}", f"--storage.tsdb.path={tmp_path / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]  # fmt: skip
    with (
        serve(command, port, tmp_path / "prometheus.log", ready="/-/ready"),
        httpx.Client(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        yield client


def until(condition, *, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.1)


def test_each_release_has_its_own_figures(prometheus, exporter):
    traffic = PrometheusTraffic(prometheus)
    known = {"query": 'nexus_answers_total{release="rel_b",outcome="error"}'}
    until(lambda: prometheus.get("/api/v1/query", params=known).json()["data"]["result"])
    exporter.answers.labels("rel_a", "answered").inc(30)
    exporter.answers.labels("rel_b", "answered").inc(10)
    exporter.answers.labels("rel_b", "error").inc(10)
    exporter.votes.labels("rel_b", "down").inc(4)
    for _ in range(20):
        exporter.seconds.labels("rel_b").observe(5)
    until(lambda: traffic.of("rel_b", seconds=30).votes > 0)
    one, other = traffic.of("rel_a", seconds=30), traffic.of("rel_b", seconds=30)
    assert one.answers == pytest.approx(30, rel=0.5)  # Prometheus extrapolates to the ends of the window
    assert (one.errors, one.slowest, one.votes) == (0, None, 0)
    assert other.errors == pytest.approx(other.answers / 2, rel=0.01)
    assert other.slowest is not None
    assert 1 < other.slowest <= 10
    assert traffic.of("rel_unknown", seconds=30).answers == 0


def test_one_that_is_away_is_said_to_be(port):
    with (
        httpx.Client(base_url=f"http://127.0.0.1:{port}") as client,
        pytest.raises(Unavailable, match="Prometheus does not answer"),
    ):
        PrometheusTraffic(client).of("rel_a", seconds=30)
