"""Real servers on loopback: a Redis that can be lost and found, and the service itself as a process that can be
killed."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty
from string import Template

import httpx
import pytest
from kombu import Connection
from opskit.contracts.runs import START_RUN_TASK, TRAINER_QUEUE, RunOrder

ALERTMANAGER = Path(__file__).resolve().parents[4] / "monitoring" / "alertmanager.yml.tmpl"
WEBHOOK_TOKEN = "a-webhook-token-of-length"
INTERNAL_TOKEN = "an-internal-token-of-length"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], object], *, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass
class Redis:
    """The broker."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/1"

    def start(self) -> None:
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        with (self.folder / "redis.log").open("ab") as log:
            self.process = subprocess.Popen([*command, "--dir", str(self.folder)], stdout=log, stderr=log)
        wait_until(lambda: listens(self.port))

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def take_orders(self) -> list[RunOrder]:
        """What trainer's worker would have got by now."""
        orders = []
        with Connection(self.url) as peer, peer.SimpleQueue(TRAINER_QUEUE) as queue, contextlib.suppress(Empty):
            while True:
                message = queue.get_nowait()
                assert message.headers["task"] == START_RUN_TASK
                arguments, fields, _ = message.payload
                assert arguments == []
                orders.append(RunOrder(**fields))
                message.ack()
        return orders


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    server = Redis(tmp_path)
    yield server
    server.stop()


@dataclass
class Bridge:
    """The service as it is run."""

    folder: Path
    environment: dict[str, str]
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [sys.executable, "-m", "uvicorn", "--factory", "alert_bridge.app:create_app"]
        with (self.folder / "bridge.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--port", str(self.port)], env=os.environ | self.environment, stdout=log, stderr=log
            )
        wait_until(lambda: listens(self.port))

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def get(self, path: str) -> httpx.Response:
        headers = {"authorization": f"Bearer {INTERNAL_TOKEN}", "x-nexus-tenant": "acme"}
        return httpx.get(self.url + path, headers=headers)


@pytest.fixture
def bridge(tmp_path: Path, database: str, redis: Redis) -> Iterator[Bridge]:
    environment = {
        "NEXUS_INTERNAL_TOKEN": INTERNAL_TOKEN,
        "NEXUS_WEBHOOK_TOKEN": WEBHOOK_TOKEN,
        "NEXUS_ALERT_BRIDGE_DATABASE_URL": database,
        "NEXUS_BROKER_URL": redis.url,
        "NEXUS_LOG_LEVEL": "WARNING",
    }
    server = Bridge(tmp_path, environment)
    yield server
    server.kill()


@dataclass
class Alertmanager:
    """The real one with the configuration that we ship, which knows where the bridge will be."""

    folder: Path
    bridge_port: int
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        (self.folder / "token").write_text(WEBHOOK_TOKEN)
        config = self.folder / "alertmanager.yml"
        filled = Template(ALERTMANAGER.read_text()).substitute(
            alert_bridge=f"127.0.0.1:{self.bridge_port}",
            webhook_token_file=self.folder / "token",
            retrain_group_wait="1s",
            retrain_group_interval="5s",
            retrain_repeat_interval="1h",
        )
        config.write_text(filled)
        command = ["prometheus-alertmanager", f"--config.file={config}", f"--storage.path={self.folder / 'alerts'}"]
        addresses = [f"--web.listen-address=127.0.0.1:{self.port}", "--cluster.listen-address="]
        with (self.folder / "alertmanager.log").open("ab") as log:
            self.process = subprocess.Popen([*command, *addresses], stdout=log, stderr=log)
        wait_until(lambda: listens(self.port))

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def fire(self, **labels: str) -> None:
        alert = {"labels": {"alertname": "NexusAnswerQualityLow", "nexus_action": "retrain"} | labels}
        httpx.post(f"{self.url}/api/v2/alerts", json=[alert]).raise_for_status()

    def metric(self, name: str) -> float:
        """The sum of its series."""
        lines = httpx.get(f"{self.url}/metrics").text.splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith((f"{name} ", f"{name}{{")))


@pytest.fixture
def alertmanager(tmp_path: Path, bridge: Bridge) -> Iterator[Alertmanager]:
    server = Alertmanager(tmp_path, bridge.port)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def until() -> Callable[..., None]:
    return wait_until
