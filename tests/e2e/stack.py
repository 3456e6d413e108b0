"""A real stack for the tests: started by `make up` with its own ports and state, or one that runs already."""

import contextlib
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from tests.e2e.waiting import until

ROOT = Path(__file__).resolve().parents[2]
PORTS: Mapping[str, int] = {
    "gateway": 8080,
    "rag": 8081,
    "ingest": 8082,
    "trainer": 8083,
    "alert-bridge": 8084,
    "ui": 8501,
    "triton": 8000,
    "triton-grpc": 8001,
    "triton-metrics": 8002,
    "mlflow": 5000,
    "milvus": 19530,
    "redis": 6379,
    "prometheus": 9090,
    "alertmanager": 9093,
    "ingest-worker": 9101,
    "trainer-worker": 9102,
}
"""The contract's ports; `NEXUS_PORT_OFFSET` is added to each."""
SERVICES = ("gateway", "rag", "ingest", "trainer", "alert-bridge", "ui")
START_SECONDS = 900
"""The first start of a checkout fetches and converts; a later one takes well under a minute."""


@dataclass(frozen=True)
class Stack:
    """A running stack. `state` is its state folder when it is ours to break, None when it belongs to somebody."""

    env: Mapping[str, str]
    state: Path | None
    command_environment: Mapping[str, str]

    @property
    def url(self) -> str:
        return self.env["NEXUS_URL"]

    @property
    def key(self) -> str:
        return self.env["NEXUS_API_KEY"]

    @property
    def offset(self) -> int:
        return int(urlsplit(self.url).port or PORTS["gateway"]) - PORTS["gateway"]

    def port(self, part: str) -> int:
        return PORTS[part] + self.offset

    def part_url(self, part: str) -> str:
        return f"http://127.0.0.1:{self.port(part)}"

    def make(self, target: str, *, seconds: float = 120, **settings: str) -> "subprocess.CompletedProcess[str]":
        """Run a target of the Makefile on this stack, with other settings if need be."""
        return _make(target, {**self.command_environment, **settings}, seconds=seconds)

    def process(self, part: str) -> psutil.Process | None:
        """The process that listens on the part's port, seen from outside."""
        return next(iter(_alive(_pids_by_port({self.port(part)}))), None)

    def kill(self, part: str) -> int:
        """End a part as a crash would, with everything in its process group; returns the pid that listened."""
        process = until(lambda: self.process(part), f"{part} listens")
        group = os.getpgid(process.pid)
        assert group != os.getpgid(0), "a part never shares our process group"
        os.killpg(group, 9)
        return process.pid

    def processes(self) -> list[psutil.Process]:
        """Everything alive that belongs to this stack: by its state folder, or by its ports."""
        ports = {self.port(part) for part in PORTS}
        found = _pids_by_port(ports)
        if self.state is not None:
            found |= {process.pid for process in psutil.process_iter() if _mentions(process, str(self.state))}
        found.discard(os.getpid())
        return _alive(found)


def running_stack(env_file: Path) -> Stack:
    """A stack somebody has started; its parts are looked at, never harmed."""
    return Stack(read_env(env_file), None, os.environ)


def start_stack(**settings: str) -> Iterator[Stack]:
    """A stack with some settings of its own, taken away in the end: in containers when NEXUS_E2E_STACK=compose, or else
    by `make up`."""
    if os.environ.get("NEXUS_E2E_STACK") == "compose":
        from tests.compose.stack import start_compose_stack

        yield from start_compose_stack(**settings)
        return
    yield from start_embedded_stack(**settings)


def only_without_containers(why: str) -> None:
    """Skip what a stack in containers cannot be asked for."""
    if os.environ.get("NEXUS_E2E_STACK") == "compose":
        pytest.skip(why)


def start_embedded_stack(**settings: str) -> Iterator[Stack]:
    """Start a stack, give it, stop it, and see that nothing is left of it."""
    state = Path(tempfile.mkdtemp(prefix="nexus-e2e-"))
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("NEXUS_")},
        "NEXUS_STATE_DIR": str(state),
        "NEXUS_CACHE_DIR": os.environ.get("NEXUS_CACHE_DIR", str(ROOT / ".nexus" / "cache")),
        "NEXUS_PORT_OFFSET": str(free_offset()),
        "NEXUS_RECONCILE_SECONDS": "10",
        **settings,
    }
    guard = _guard(environment)
    try:
        begun = _make("up", environment, seconds=START_SECONDS)
        assert begun.returncode == 0, f"make up failed:\n{begun.stdout[-4000:]}\n{begun.stderr[-4000:]}"
        stack = Stack(read_env(state / "env"), state, environment)
        yield stack
        ended = _make("down", environment, seconds=120)
        assert ended.returncode == 0, f"make down failed:\n{ended.stdout}\n{ended.stderr}"
        left = stack.processes()
        assert not left, f"make down left {[str(process) for process in left]}"
    finally:
        _keep_logs(state)
        assert guard.stdin is not None
        guard.stdin.close()
        guard.wait(timeout=180)
        shutil.rmtree(state, ignore_errors=True)


def free_offset() -> int:
    """An offset at which every port is free. All stay below the range that Linux gives to outgoing connections."""
    candidates = list(range(10_100, 13_100, 100))
    random.shuffle(candidates)
    return next(offset for offset in candidates if all(_is_free(port + offset) for port in PORTS.values()))


_GUARD = """
import json, subprocess, sys
environment = json.loads(sys.stdin.readline())
sys.stdin.read()
subprocess.run(["make", "down"], env=environment, capture_output=True)
"""


def _guard(environment: Mapping[str, str]) -> "subprocess.Popen[str]":
    """Stops the stack when the test run ends, however it ends: its standard input closes with us. It learns of the
    stack through that input, so that it is not taken for a part of it."""
    guard = subprocess.Popen(
        [sys.executable, "-c", _GUARD], cwd=ROOT, stdin=subprocess.PIPE, text=True, start_new_session=True
    )
    assert guard.stdin is not None
    guard.stdin.write(json.dumps(dict(environment)) + "\n")
    guard.stdin.flush()
    return guard


def _make(target: str, environment: Mapping[str, str], *, seconds: float) -> "subprocess.CompletedProcess[str]":
    command = ["make", "--no-print-directory", target]
    return subprocess.run(
        command, cwd=ROOT, env=dict(environment), capture_output=True, text=True, timeout=seconds, check=False
    )


def _keep_logs(state: Path) -> None:
    """The logs of the last run outlive it, for whoever has to find out why a test failed."""
    kept = ROOT / "bench-results" / "e2e-logs"
    shutil.rmtree(kept, ignore_errors=True)
    if (state / "logs").is_dir():
        shutil.copytree(state / "logs", kept)


def read_env(env_file: Path) -> dict[str, str]:
    return read_env_text(env_file.read_text())


def read_env_text(text: str) -> dict[str, str]:
    """NAME=value, one a line."""
    lines = (line.partition("=") for line in text.splitlines() if "=" in line)
    return {name: value for name, _, value in lines}


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _alive(pids: set[int]) -> list[psutil.Process]:
    """Those that still run: a process may end between being listed and being looked at."""
    processes = []
    for pid in sorted(pids):
        with contextlib.suppress(psutil.NoSuchProcess):
            processes.append(psutil.Process(pid))
    return processes


def _pids_by_port(ports: set[int]) -> set[int]:
    connections = psutil.net_connections(kind="tcp")
    return {c.pid for c in connections if c.status == psutil.CONN_LISTEN and c.laddr.port in ports and c.pid}


def _mentions(process: psutil.Process, text: str) -> bool:
    try:
        return process.environ().get("NEXUS_STATE_DIR") == text or any(text in part for part in process.cmdline())
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        return False
