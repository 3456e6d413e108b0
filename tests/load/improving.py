"""What the model loop costs those who ask: scoring each answer, a swap of releases under their questions, the way
back, and how soon an alert has its run."""

import json
import shutil
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from threading import Event, Thread
from uuid import uuid4

import httpx
from nexus_serving.layout import SHIPPED_READER, Layout
from nexus_serving.reader_model import Calibration, calibrate
from opskit.contracts.answers import AnswerPage, AnswerRecord
from opskit.contracts.releases import ReleaseBundle, release_id
from opskit.database import open_database
from opskit.identity import Caller
from rag.ports import Found
from rag.scoring import score
from trainer.adapters.local_readers import LocalReaders
from trainer.adapters.sql_releases import SqlReleases
from trainer.improvement.releases import Release, State, own_model

from tests.e2e.clients import Nexus, Streamed
from tests.e2e.stack import Stack
from tests.e2e.waiting import until
from tests.load.figures import Figure
from tests.load.samples import at_least, milliseconds, percentile

GROUP = "improving"
QUESTIONS_A_SECOND = 5.0
SWAPS = 3
"""There and back so often."""
_SETTLING_SECONDS = 5.0
"""Questions are asked so long before and after each swap."""
_CLIENTS = 16


def measure(stack: Stack, nexus: Nexus, questions: Sequence[str]) -> Iterator[Figure]:
    """On a stack of its own alone: a release is added, and an alert is made up."""
    assert stack.state is not None
    asked = at_least(questions, 60)
    for question in asked[:20]:
        nexus.ask(question)
    yield Figure(GROUP, "scoring an answer p50", percentile(_scoring(stack), 0.5), "ms", goal=15)
    yield from _swaps(stack, nexus, asked)
    yield Figure(GROUP, "alert's webhook to accepted run", _webhook_to_run(stack, nexus), "s", goal=5)


def _scoring(stack: Stack) -> list[float]:
    """Of the answers just given, milliseconds each. Without the passages' cosines, so all words are compared."""
    page = httpx.get(f"{stack.env['NEXUS_RAG_URL']}/internal/answers", headers=_internal(stack)).raise_for_status()
    answered = [one for one in AnswerPage.model_validate(page.json()).answers if one.citations]

    def scored(record: AnswerRecord) -> None:
        found = [
            Found("", one.document, 0, None, one.title, one.heading, one.text, score=1.0) for one in record.passages
        ]
        score(record.question, record.answer, record.citations, found)

    return milliseconds(scored, at_least(answered, 100))


def _swaps(stack: Stack, nexus: Nexus, questions: Sequence[str]) -> Iterator[Figure]:
    first = str(nexus.ask(questions[0]).details["release"])
    other = _another_release(stack)
    there, back = [], []
    with _Askers(nexus, questions) as quiet:
        time.sleep(_SETTLING_SECONDS)
    with _Askers(nexus, questions) as askers:
        for _ in range(SWAPS):
            there.append(_moved(nexus, f"/v1/releases/{other}/promote", other, questions[0]))
            time.sleep(_SETTLING_SECONDS)
            back.append(_moved(nexus, "/v1/releases/rollback", first, questions[0]))
            time.sleep(_SETTLING_SECONDS)
    rate = f"{QUESTIONS_A_SECOND:g} streamed questions a second"
    yield Figure(GROUP, f"promotion to answering, at {rate}, slowest of {SWAPS}", max(there), "s", goal=30)
    yield Figure(GROUP, f"rollback to answering, at {rate}, slowest of {SWAPS}", max(back), "s", goal=10)
    yield Figure(GROUP, f"failed of {len(askers.heard)} questions during {2 * SWAPS} swaps", askers.failed, "", goal=0)
    yield Figure(GROUP, f"first words p95, at {rate}, no swap", percentile(quiet.first_words, 0.95), "s")
    yield Figure(GROUP, f"first words p95, at {rate}, during swaps", percentile(askers.first_words, 0.95), "s")


class _Askers:
    """Users who stream an answer each, at a steady rate whatever becomes of the others'."""

    def __init__(self, nexus: Nexus, questions: Sequence[str]) -> None:
        self.heard: list[Streamed] = []
        self.failed = 0
        self._nexus, self._questions = nexus, cycle(questions)
        self._ended = Event()
        self._pool = ThreadPoolExecutor(_CLIENTS)
        self._asking = Thread(target=self._ask)
        self._begun: list[Future[Streamed]] = []

    @property
    def first_words(self) -> list[float]:
        return [one.first_words_seconds for one in self.heard if one.first_words_seconds is not None]

    def __enter__(self) -> "_Askers":
        self._asking.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._asking.join()
        self._pool.shutdown()
        for one in self._begun:
            if one.exception() is None and one.result().done:
                self.heard.append(one.result())
            else:
                self.failed += 1

    def _ask(self) -> None:
        while not self._ended.wait(1 / QUESTIONS_A_SECOND):
            self._begun.append(self._pool.submit(self._nexus.stream, next(self._questions)))


def _another_release(stack: Stack) -> str:
    """The shipped reader with another threshold, kept as a release that may serve; returns its id."""
    assert stack.state is not None
    start = httpx.get(f"{stack.env['NEXUS_RAG_URL']}/internal/release", headers=_internal(stack)).raise_for_status()
    first = ReleaseBundle.model_validate(start.json())
    folder = stack.state / "another-reader"
    shutil.copytree(SHIPPED_READER, folder)
    calibrate(folder, Calibration(-9.0))
    digest = json.loads((folder / "reader.json").read_text())["digest"]
    name = release_id(digest, first.settings, first.embedder_fingerprint)
    changed = {"release": name, "reader_digest": digest, "reader_model": own_model(digest)}
    bundle = first.model_copy(update=changed)
    LocalReaders(stack.state / "releases", Layout.from_environment()).keep(bundle, folder)
    engine = open_database(f"sqlite:///{_state(stack) / 'trainer.db'}", migrations="trainer.migrations")
    SqlReleases(engine).add(Release(name, State.CANDIDATE, bundle), {}, now=datetime.now(UTC))
    engine.dispose()
    return name


def _moved(nexus: Nexus, path: str, wanted: str, question: str) -> float:
    """Seconds from the order until an answer names the release."""
    began = time.monotonic()
    response = nexus.http.post(path, json={"reason": "measured"})
    assert response.status_code == 200, response.text
    until(lambda: nexus.ask(question).details["release"] == wanted, f"{wanted} answers", seconds=60)
    return time.monotonic() - began


def _webhook_to_run(stack: Stack, nexus: Nexus) -> float:
    """Seconds from Alertmanager's call until trainer lists the run."""
    assert stack.state is not None
    token = (stack.state / "secrets" / "webhook_token").read_text().strip()
    alert = {
        "status": "firing",
        "fingerprint": uuid4().hex[:16],
        "startsAt": datetime.now(UTC).isoformat(),
        "endsAt": "0001-01-01T00:00:00Z",
        "labels": {"alertname": "NexusAnswerQualityLow", "nexus_action": "retrain", "severity": "warning"},
        "annotations": {"summary": "Made up to be measured"},
    }
    body = {
        "version": "4", "groupKey": uuid4().hex, "status": "firing", "receiver": "alert-bridge", "groupLabels": {},
        "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://alertmanager", "alerts": [alert],
    }  # fmt: skip
    url = f"{stack.env['NEXUS_ALERT_BRIDGE_URL']}/webhooks/alertmanager"
    began = time.monotonic()
    httpx.post(url, json=body, headers={"authorization": f"Bearer {token}"}).raise_for_status()
    until(lambda: nexus.http.get("/v1/runs").json()["runs"], "the run is listed", seconds=60, every=0.05)
    return time.monotonic() - began


def _internal(stack: Stack) -> dict[str, str]:
    """Headers that open the doors between services."""
    assert stack.state is not None
    token = (stack.state / "secrets" / "internal_token").read_text().strip()
    return Caller(tenant="default", key_id="bench").headers(token)


def _state(stack: Stack) -> Path:
    assert stack.state is not None
    return stack.state / "state"
