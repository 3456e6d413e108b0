"""The worker as it is run, with a real Redis, and the API's checks against real servers."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.contract


def until(condition: Callable[[], bool], *, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)


@pytest.fixture
def metrics(tmp_path: Path, database: str, redis, port: int) -> Iterator[Callable[[], str]]:
    """The worker runs; this asks for its metrics. Empty while it does not answer."""
    environment = {
        "NEXUS_INTERNAL_TOKEN": "an-internal-token-of-length",
        "NEXUS_TRAINER_DATABASE_URL": database,
        "NEXUS_BROKER_URL": redis.url,
        "NEXUS_WORKER_METRICS_PORT": str(port),
        "NEXUS_KEEP_FEEDBACK": "P30D",
        "NEXUS_EXPIRE_FEEDBACK_EVERY": "PT1S",
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
        process.wait(10)
    process.kill()
    assert process.wait() == 0, (tmp_path / "worker.log").read_text()[-3000:]


def test_the_worker_forgets_old_votes_and_goes_on_when_the_broker_was_lost(metrics, redis, store, make_vote):
    long_ago = datetime.now(UTC) - timedelta(days=31)

    def votes() -> int:
        return len(store.votes("acme", limit=10, before=None).items)

    store.keep(make_vote(answer_id="ans_new"), now=datetime.now(UTC))
    store.keep(make_vote(answer_id="ans_old"), now=long_ago)
    until(lambda: votes() == 1)
    until(lambda: "nexus_feedback_expired_total 1.0" in metrics())
    for task in ("expire_feedback", "look_after", "observe"):
        until(lambda task=task: f'nexus_trainer_tasks_total{{outcome="success",task="trainer.{task}"}}' in metrics())

    redis.stop()
    store.keep(make_vote(answer_id="ans_old"), now=long_ago)
    redis.start()
    until(lambda: votes() == 1)
    until(lambda: "nexus_feedback_expired_total 2.0" in metrics())
